"""Bad tokens are refused, each for what is wrong with it, by a verifier that accepts good ones."""

import pytest

from keyturn.tokens import base64url
from keyturn.tokens.jwk import PublicJwk
from tests.periods import DEFAULTS
from tests.verifiers.web import new_key


@pytest.fixture(autouse=True)
def knows_the_keys(issuer, refusal) -> None:
    """Whatever is refused from here on is not refused for want of a JWKS."""
    assert refusal(issuer.token()) is None


def test_expired(issuer, refusal, verifier) -> None:
    """A token is refused when its lifetime and 30 s of leeway are over."""
    token = issuer.token()
    issuer.advance(DEFAULTS.token_lifetime + 31)
    assert refusal(token) == verifier.refusals.expired


def test_wrong_audience(issuer, refusal, verifier) -> None:
    """A token for another audience gets the answer of the verifier's row."""
    assert refusal(issuer.token(audience="invoices")) == verifier.refusals.audience


def test_wrong_issuer(issuer, refusal, verifier) -> None:
    """A token in another issuer's name, signed by our key, gets the answer of the verifier's row."""
    assert refusal(issuer.token(issuer="https://elsewhere.example")) == verifier.refusals.issuer


def test_tampered(issuer, refusal, verifier) -> None:
    """A token of alice whose subject was changed is refused."""
    header, payload, signature = issuer.token().split(".")
    changed = base64url.encode(base64url.decode(payload).replace(b"alice", b"mallory"))
    assert refusal(f"{header}.{changed}.{signature}") == verifier.refusals.signature


def test_signed_by_another_key(issuer, refusal, verifier) -> None:
    """A token that names a known kid, but is signed by another key, is refused."""
    assert refusal(issuer.token(signed_by=new_key())) == verifier.refusals.signature


def test_invented_kid(issuer, refusal, verifier) -> None:
    """A token with a kid that no key has is refused."""
    key = new_key()
    kid = PublicJwk.from_rsa(key.public_key()).kid
    assert refusal(issuer.token(kid, signed_by=key)) == verifier.refusals.unknown_kid


def test_a_life_too_long(issuer, refusal, verifier) -> None:
    """A lifetime that only the holder of KMS's signature could choose is refused by Keyturn's authorizer alone."""
    token = issuer.token(lifetime=DEFAULTS.token_lifetime + 1)
    assert refusal(token) == verifier.refusals.long_life
