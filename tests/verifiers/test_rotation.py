"""Before, during and after a rotation every verifier accepts every good token, and no other."""

import json

from tests.periods import DEFAULTS


def test_the_documents_are_those_of_the_product(site, issuer) -> None:
    """The site shows JWKS and discovery document with the media types and max-age of S3's objects."""
    path = issuer.url.removeprefix(site.origin)
    jwks, headers = site.find(f"{path}/.well-known/jwks.json")
    assert len(json.loads(jwks)["keys"]) == 2
    assert headers == {
        "Content-Type": "application/jwk-set+json",
        "Cache-Control": f"public, max-age={DEFAULTS.jwks_max_age}",
    }
    discovery, headers = site.find(f"{path}/.well-known/openid-configuration")
    assert json.loads(discovery)["jwks_uri"] == f"{issuer.url}/.well-known/jwks.json"
    assert headers["Content-Type"] == "application/json"


def test_before(issuer, refusal) -> None:
    """The active key's tokens are accepted, from the first one to expiry."""
    token = issuer.token()
    assert refusal(token) is None
    issuer.advance(DEFAULTS.token_lifetime - 1)
    assert refusal(token) is None


def test_a_whole_rotation_refuses_no_good_token(site, running) -> None:
    """A verifier that fetched the JWKS just before a new key was in it accepts that key's first token.

    It waited as long as the product makes it wait, and had no token in between to learn from.
    """
    issuer = site.issuer()
    old = issuer.create()
    issuer.activate(old)
    running.start(issuer, {})
    assert running.refusal(issuer, issuer.token()) is None

    new = issuer.create()
    assert running.refusal(issuer, issuer.token()) is None

    issuer.wait_until_it_may_sign(new)
    last = issuer.token()
    issuer.activate(new)
    assert running.refusal(issuer, issuer.token()) is None
    assert running.refusal(issuer, last) is None

    issuer.advance(DEFAULTS.token_lifetime - 1)
    assert running.refusal(issuer, last) is None
    assert running.refusal(issuer, issuer.token()) is None


def test_a_retired_key_is_unknown_to_a_new_verifier(site, running, verifier) -> None:
    """After retirement a verifier that fetches the JWKS again refuses the key, whatever its token says."""
    issuer = site.issuer()
    old = issuer.create()
    issuer.activate(old)
    new = issuer.create()
    issuer.wait_until_it_may_sign(new)
    issuer.activate(new)
    issuer.wait_until_it_may_retire(old)
    issuer.retire(old)
    running.start(issuer, {})
    assert running.refusal(issuer, issuer.token(old)) == verifier.refusals.retired
    assert running.refusal(issuer, issuer.token()) is None


def test_a_revoked_key_is_unknown_to_a_new_verifier(issuer, refusal, verifier) -> None:
    """After a revocation it is refused at once by who fetches anew; the standby's tokens count."""
    revoked = issuer.active.kid
    issuer.revoke(revoked)
    assert refusal(issuer.token()) is None
    assert refusal(issuer.token(revoked)) == verifier.refusals.revoked
