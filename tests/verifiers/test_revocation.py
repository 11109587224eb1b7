"""What the docs say about single verifiers and revoked keys, apart from the table."""

import pytest

from tests.verifiers.catalogue import VERIFIERS
from tests.verifiers.measure import NEVER, measure

BY_NAME = {verifier.name: verifier for verifier in VERIFIERS}


@pytest.mark.parametrize("verifier", [BY_NAME["aws-jwt-verify"]], indirect=True)
def test_aws_jwt_verify_forgets_a_revoked_key_when_it_meets_a_new_one(
    site, running, verifier
) -> None:
    """Its `never` ends with the first token of a kid that it does not know."""
    issuer = site.issuer()
    issuer.activate(issuer.create())
    running.start(issuer, {})
    token = issuer.token()
    assert running.refusal(issuer, token) is None

    issuer.create()
    issuer.revoke(issuer.active.kid)
    assert running.refusal(issuer, token) is None
    assert running.refusal(issuer, issuer.token()) is None
    assert running.refusal(issuer, token) == verifier.refusals.revoked


@pytest.mark.parametrize("verifier", [BY_NAME["PyJWT"]], indirect=True)
def test_pyjwt_with_cached_keys_never_forgets(site, running) -> None:
    """`cache_keys=True` outlives the JWK Set's own lifespan."""
    assert measure(running, site, {"cache_keys": True}).revoked == NEVER
