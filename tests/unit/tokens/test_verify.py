"""Tokens that are validly signed and still refused, each by its code, and the few that hold."""

import base64
import hmac
import json
import traceback
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyturn.tokens import jws
from keyturn.tokens.claims import build, check_claims
from keyturn.tokens.errors import Code, TokenRefused
from keyturn.tokens.jwk import PublicJwk
from keyturn.tokens.jws import UnverifiedToken
from keyturn.tokens.verify import has_signature, verify_signature
from tests.unit.stage import Segment, forge
from tests.unit.tokens.good import CLAIMS, EXPECTED, HEADER, KID, NOW

PAYLOAD = json.dumps(CLAIMS).encode()
ODD = b'{"q":"???????>>>>>>>"}'  # has both special characters of base64url, at any offset


@pytest.fixture
def check(rsa_key):
    """From a text to its claims, by default with the key that signs."""

    def accepts(text, key=rsa_key, lifetime=60):
        token = UnverifiedToken.parse(text)
        claims = verify_signature(token, key.public_key())
        check_claims(claims, EXPECTED, lifetime=lifetime, now=NOW)
        return claims

    def refuses(text, *arguments):
        with pytest.raises(TokenRefused) as refused:
            accepts(text, *arguments)
        assert_tells_nothing(refused.value, text)
        return refused.value.code

    return SimpleNamespace(accepts=accepts, refuses=refuses)


def assert_tells_nothing(error: TokenRefused, token: str) -> None:
    """The error is its code: no text of it, its arguments or its traceback is the token's."""
    assert error.args == (error.code.value,)
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    told = "".join(traceback.format_exception(error))
    assert not any(part in told for part in (*token.split("."), KID) if len(part) > 2)


def test_what_we_make_is_accepted(check, rsa_key):
    """A token from claims to signature comes back as its claims; only its kid is looked up."""
    claims = build(
        issuer=EXPECTED.issuer,
        subject="user-1",
        audience="orders",
        client_id="shop",
        jti="id-1",
        now=NOW,
        lifetime=60,
        extra={"tenant": "Zoë"},
    )
    signed = jws.build_signing_input(KID, claims)
    token = jws.serialize(signed, rsa_key.sign(signed.encode(), PKCS1v15(), SHA256()))
    assert UnverifiedToken.parse(token).kid == KID
    assert check.accepts(token) == claims


def test_pyjwt_accepts_what_we_make(rsa_key):
    """Another library verifies our token with the published JWK."""
    jwk = PublicJwk.from_rsa(rsa_key.public_key())
    signed = jws.build_signing_input(jwk.kid, CLAIMS)
    token = jws.serialize(signed, rsa_key.sign(signed.encode(), PKCS1v15(), SHA256()))
    assert jwt.get_unverified_header(token) == {**HEADER, "kid": jwk.kid}
    no_clock: Any = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    claims = jwt.decode(
        token,
        jwt.PyJWK(jwk.members()),
        algorithms=["RS256"],
        audience=EXPECTED.audience,
        issuer=EXPECTED.issuer,
        options=no_clock,
    )
    assert claims == CLAIMS


def test_we_accept_what_pyjwt_makes(check, rsa_key):
    """A token of the same profile verifies, whoever serialised it."""
    token = jwt.encode(CLAIMS, rsa_key, "RS256", headers={"kid": KID, "typ": "at+jwt"})
    assert check.accepts(token) == CLAIMS


def test_a_public_key_is_no_hmac_secret(check, rsa_key):
    """The classic confusion, HS256 with the public key as its secret, is refused."""
    pem = rsa_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = forge(rsa_key, {**HEADER, "alg": "HS256"}, CLAIMS).rpartition(".")[0]
    token = jws.serialize(signed, hmac.digest(pem, signed.encode(), "sha256"))
    assert check.refuses(token) is Code.ALGORITHM


PLACES = {
    "header": lambda key, part: forge(key, part, CLAIMS),
    "payload": lambda key, part: forge(key, HEADER, part),
}


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(b"\xef\xbb\xbf{}", id="BOM"),
        pytest.param(b'{"a":"\xff"}', id="not UTF-8"),
        pytest.param(b'{"a":1,"a":1}', id="duplicate member"),
        pytest.param(b'{"a":NaN}', id="NaN"),
        pytest.param(b'{"a":Infinity}', id="Infinity"),
        pytest.param(b'{"a":1e999}', id="1e999"),
        pytest.param(b'{"a":' + b"9" * 4500 + b"}", id="4500 digits"),
        pytest.param(b'{"a":' + b"[" * 2500 + b"]" * 2500 + b"}", id="deep nesting"),
        pytest.param(rb'{"a":"\ud800"}', id="lone surrogate"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"{}\n{}", id="two objects"),
        pytest.param("e30=", id="padding"),
        pytest.param("e31", id="trailing bits"),
        pytest.param("e30\n", id="newline"),
        pytest.param(base64.b64encode(ODD).decode().rstrip("="), id="plain base64"),
    ],
)
@pytest.mark.parametrize("place", PLACES)
def test_header_and_payload_are_strict(check, rsa_key, place, part):
    """What is not canonical base64url of strict JSON is malformed, in either place."""
    assert check.refuses(PLACES[place](rsa_key, part)) is Code.MALFORMED


@pytest.mark.parametrize(
    ("place", "members", "name"),
    [("header", HEADER, "alg"), ("header", HEADER, "kid"), ("payload", CLAIMS, "exp")],
)
def test_a_member_said_twice_is_refused(check, rsa_key, place, members, name):
    """Neither the first nor the last of two counts, even where they agree."""
    again = f', "{name}": {json.dumps(members[name])}}}'
    part = (json.dumps(members)[:-1] + again).encode()
    assert check.refuses(PLACES[place](rsa_key, part)) is Code.MALFORMED


SIGNED_BUT_BAD: dict[Code, tuple[Segment, Segment]] = {
    Code.TOO_LARGE: (HEADER, {**CLAIMS, "pad": "x" * 6000}),
    Code.MALFORMED: (HEADER, PAYLOAD + b"x"),
    Code.HEADER: ({**HEADER, "cty": "JWT"}, CLAIMS),
    Code.ALGORITHM: ({**HEADER, "alg": "none"}, CLAIMS),
    Code.TYPE: ({**HEADER, "typ": "JWT"}, CLAIMS),
    Code.CLAIMS: (HEADER, {**CLAIMS, "exp": True}),
    Code.LIFETIME: (HEADER, {**CLAIMS, "exp": NOW + 61}),
    Code.EXPIRED: (HEADER, {**CLAIMS, "iat": NOW - 90, "exp": NOW - 30}),
    Code.NOT_YET_VALID: (HEADER, {**CLAIMS, "nbf": NOW + 31}),
    Code.ISSUER: (HEADER, {**CLAIMS, "iss": "https://evil.example"}),
    Code.AUDIENCE: (HEADER, {**CLAIMS, "aud": "stock"}),
}
FROM_THE_KEYSET = [
    *(Code.UNKNOWN_KID, Code.KEY_NOT_PUBLISHED),
    *(Code.KEY_EXPIRED, Code.KEY_RETIRED, Code.KEY_REVOKED),
]


@pytest.mark.parametrize("code", [Code.HEADER, Code.ALGORITHM, Code.TYPE, Code.TOO_LARGE])
def test_a_kid_is_known_only_from_the_right_header(rsa_key, code):
    """A text that is no token of ours costs no look-up."""
    with pytest.raises(TokenRefused) as refused:
        UnverifiedToken.parse(forge(rsa_key, *SIGNED_BUT_BAD[code]))
    assert refused.value.code is code


@pytest.mark.parametrize("code", SIGNED_BUT_BAD)
def test_each_code_has_its_token(check, rsa_key, code):
    """A good signature is no reason to believe the rest."""
    assert check.refuses(forge(rsa_key, *SIGNED_BUT_BAD[code])) is code


def test_another_keys_signature_is_refused(check, rsa_key, other_rsa_key):
    """A token that all but the key is right about has no signature."""
    assert check.refuses(forge(other_rsa_key, HEADER, CLAIMS)) is Code.SIGNATURE


def test_a_known_header_spares_no_other_check(check, rsa_key, other_rsa_key):
    """The parser remembers what a header segment says; signature and claims are checked each time."""
    good = forge(rsa_key, HEADER, CLAIMS)
    assert check.accepts(good) == CLAIMS
    header, payload, signature = good.split(".")
    assert check.refuses(forge(other_rsa_key, HEADER, CLAIMS)) is Code.SIGNATURE
    assert check.refuses(forge(rsa_key, HEADER, {**CLAIMS, "iss": "x"})) is Code.ISSUER
    assert check.refuses(f"{header}.{payload}=.{signature}") is Code.MALFORMED
    assert check.refuses(f"{header}..{signature}") is Code.MALFORMED
    assert check.refuses(f"{header}.{payload}.{signature}.") is Code.MALFORMED
    assert check.accepts(good) == CLAIMS


def test_no_code_is_without_a_token():
    """The closed set is what verifying can say, that there was nothing to verify, and what the keyset takes back."""
    verified = {*SIGNED_BUT_BAD, *FROM_THE_KEYSET, Code.SIGNATURE}
    assert verified | {Code.MISSING, Code.CUT_OFF} == set(Code)


@pytest.mark.parametrize("size", [1, 255, 257, 512])
def test_a_signature_has_exactly_the_size_of_the_key(check, rsa_key, size):
    """A byte less, a byte more or twice as many are no signature."""
    signed, _, signature = forge(rsa_key, HEADER, CLAIMS).rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    assert check.refuses(jws.serialize(signed, (raw * 2)[:size])) is Code.SIGNATURE


def test_a_larger_key_does_not_sign(check, rsa_key, large_rsa_key):
    """A signature of another size is refused even if it is right for the key that was found."""
    token = forge(large_rsa_key, HEADER, CLAIMS)
    assert check.refuses(token, large_rsa_key) is Code.SIGNATURE


@pytest.mark.parametrize("place", ["header", "payload"])
def test_what_was_not_signed_does_not_count(check, rsa_key, place):
    """A signature taken from another token of the same key is refused."""
    other = PLACES[place](rsa_key, {**HEADER, "kid": "K" * 43} if place == "header" else ODD)
    transplanted = (
        other.rpartition(".")[0] + "." + forge(rsa_key, HEADER, CLAIMS).rpartition(".")[2]
    )
    assert check.refuses(transplanted) is Code.SIGNATURE


@pytest.mark.parametrize("payload", [b"not JSON", {}], ids=["not JSON", "no claims"])
def test_nothing_in_the_payload_is_read_before_the_signature(
    check, rsa_key, other_rsa_key, payload
):
    """A stranger learns nothing about how claims are checked."""
    assert check.refuses(forge(other_rsa_key, HEADER, payload)) is Code.SIGNATURE


@pytest.mark.parametrize(("size", "code"), [(8192, None), (8193, Code.TOO_LARGE)])
def test_a_token_has_at_most_8192_bytes(check, rsa_key, size, code):
    """A good token of exactly the limit is accepted; one of a byte more is refused."""
    header = json.dumps(HEADER, separators=(",", ":")).encode()
    room = size - len(forge(rsa_key, header, ""))
    token = forge(rsa_key, header, PAYLOAD.ljust(room * 3 // 4))
    assert len(token) == size
    assert (check.refuses if code else check.accepts)(token) == (code or CLAIMS)


def test_the_lifetime_is_that_of_the_key(check, rsa_key):
    """The same token is too long for a key whose tokens live a second less."""
    assert check.refuses(forge(rsa_key, HEADER, CLAIMS), rsa_key, 59) is Code.LIFETIME


def test_has_signature_is_rs256_only(rsa_key, other_rsa_key):
    """Only PKCS #1 v1.5 with SHA-256, by this key, over this message."""
    public_key, signature = rsa_key.public_key(), rsa_key.sign(b"text", PKCS1v15(), SHA256())
    assert has_signature(public_key, signature, b"text")
    assert not has_signature(public_key, signature, b"texts")
    assert not has_signature(other_rsa_key.public_key(), signature, b"text")
    assert not has_signature(public_key, rsa_key.sign(b"text", PKCS1v15(), SHA512()), b"text")
