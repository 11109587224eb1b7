"""A good token in its parts, and what is expected of it."""

from keyturn.tokens.claims import Expectations

NOW = 1_772_366_400
KID = "k" * 43
HEADER = {"alg": "RS256", "kid": KID, "typ": "at+jwt"}
EXPECTED = Expectations(issuer="https://issuer.example", audience="orders", leeway=30)
CLAIMS = {
    "iss": EXPECTED.issuer,
    "sub": "user-1",
    "aud": EXPECTED.audience,
    "exp": NOW + 60,
    "iat": NOW,
    "nbf": NOW,
    "jti": "id-1",
    "client_id": "shop",
    "scope": "orders:read",
}
