"""A token from its text to its claims: what is accepted, and which check refuses it.

The many ways to be wrong are in `tests/vectors`.
"""

import json
import traceback
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA512

from keyturn.tokens import jws
from keyturn.tokens.claims import build, check_claims
from keyturn.tokens.errors import Code, TokenRefused
from keyturn.tokens.jwk import PublicJwk
from keyturn.tokens.jws import UnverifiedToken
from keyturn.tokens.verify import has_signature, verify_signature
from tests.cloud import material
from tests.unit.tokens.forge import Segment, forge
from tests.unit.tokens.good import CLAIMS, EXPECTED, HEADER, KID, NOW


def verified(text, key):
    """The claims of a token, parsed and checked like the authorizer does it; raises TokenRefused."""
    claims = verify_signature(UnverifiedToken.parse(text), key.public_key())
    check_claims(claims, EXPECTED, lifetime=60, now=NOW)
    return claims


def refusal(text, key):
    """Why a token is refused."""
    with pytest.raises(TokenRefused) as refused:
        verified(text, key)
    assert_contains_no_text(refused.value, text)
    return refused.value.code


def assert_contains_no_text(error: TokenRefused, token: str) -> None:
    """Neither the error nor its traceback contains text from the token."""
    assert error.args == (error.code.value,)
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    printed = "".join(traceback.format_exception(error))
    assert not any(part in printed for part in (*token.split("."), KID) if len(part) > 2)


def test_what_we_make_is_accepted(rsa_key):
    """The claims of a token that the issuer builds and signs come back unchanged."""
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
    token = jws.serialize(signed, material.sign(rsa_key, signed.encode()))
    assert UnverifiedToken.parse(token).kid == KID
    assert verified(token, rsa_key) == claims


def test_pyjwt_accepts_what_we_make(rsa_key):
    """Another library verifies our token with the published JWK."""
    jwk = PublicJwk.from_rsa(rsa_key.public_key())
    signed = jws.build_signing_input(jwk.kid, CLAIMS)
    token = jws.serialize(signed, material.sign(rsa_key, signed.encode()))
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


def test_we_accept_what_pyjwt_makes(rsa_key):
    """A token of the same profile verifies, whichever library serialised it."""
    token = jwt.encode(CLAIMS, rsa_key, "RS256", headers={"kid": KID, "typ": "at+jwt"})
    assert verified(token, rsa_key) == CLAIMS


SIGNED_BUT_BAD: dict[Code, tuple[Segment, Segment]] = {
    Code.TOO_LARGE: (HEADER, {**CLAIMS, "pad": "x" * 6000}),
    Code.MALFORMED: (HEADER, json.dumps(CLAIMS).encode() + b"x"),
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


@pytest.mark.parametrize("code", SIGNED_BUT_BAD)
def test_a_signed_token_is_refused_by_the_check_that_it_fails(rsa_key, code):
    """A good signature does not replace any other check."""
    assert refusal(forge(rsa_key, *SIGNED_BUT_BAD[code]), rsa_key) is code


def test_a_known_header_spares_no_other_check(rsa_key, other_rsa_key):
    """The parser caches header segments; signature and claims are checked each time."""
    good = forge(rsa_key, HEADER, CLAIMS)
    assert verified(good, rsa_key) == CLAIMS
    header, payload, signature = good.split(".")
    assert refusal(forge(other_rsa_key, HEADER, CLAIMS), rsa_key) is Code.SIGNATURE
    assert refusal(forge(rsa_key, HEADER, {**CLAIMS, "iss": "x"}), rsa_key) is Code.ISSUER
    assert refusal(f"{header}.{payload}=.{signature}", rsa_key) is Code.MALFORMED
    assert refusal(f"{header}..{signature}", rsa_key) is Code.MALFORMED
    assert refusal(f"{header}.{payload}.{signature}.", rsa_key) is Code.MALFORMED
    assert verified(good, rsa_key) == CLAIMS


def test_a_larger_key_does_not_sign(large_rsa_key):
    """A signature of another size is refused even if it is right for the key."""
    token = forge(large_rsa_key, HEADER, CLAIMS)
    assert refusal(token, large_rsa_key) is Code.SIGNATURE


@pytest.mark.parametrize("payload", [b"not JSON", {}], ids=["not JSON", "no claims"])
def test_the_payload_is_not_read_before_the_signature(rsa_key, other_rsa_key, payload):
    """Without a valid signature, the answer does not depend on the claims."""
    assert refusal(forge(other_rsa_key, HEADER, payload), rsa_key) is Code.SIGNATURE


def test_has_signature_is_rs256_only(rsa_key, other_rsa_key):
    """Only PKCS #1 v1.5 with SHA-256, by this key, over this message."""
    public_key, signature = rsa_key.public_key(), material.sign(rsa_key, b"text")
    assert has_signature(public_key, signature, b"text")
    assert not has_signature(public_key, signature, b"texts")
    assert not has_signature(other_rsa_key.public_key(), signature, b"text")
    assert not has_signature(public_key, rsa_key.sign(b"text", PKCS1v15(), SHA512()), b"text")
