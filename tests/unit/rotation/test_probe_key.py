"""ProbeKey: the standby signs, and the JWKS on the public URL verifies the signature."""

import json

import pytest

from keyturn.aws.faults import KeyUnusable
from keyturn.aws.keyset.well_known import JWKS
from keyturn.rotation import probe_key
from keyturn.rotation.probe_key import ProbeFailed
from keyturn.tokens.errors import TokenRefused
from keyturn.tokens.jws import UnverifiedToken
from tests.unit.changes import revoke_keys
from tests.unit.rotation.stage import planned
from tests.unit.stage import active_key, active_kid, invoke, standby_key, standby_kid, truth


def assert_fails(cloud, match):
    """Assert that the probe fails, which the state machine retries."""
    with pytest.raises(ProbeFailed, match=match):
        invoke(probe_key, planned(cloud))


def test_a_key_that_verifies_is_proved(booted, cloud, aws):
    """The standby signs once, and the JWKS on the public URL verifies it."""
    standby = standby_key(truth(cloud))
    assert invoke(probe_key, planned(cloud)) == {"outcome": "proved", "kid": standby.kid}
    [sign] = aws.params("kms:Sign")
    assert (sign["KeyId"], sign["MessageType"]) == (standby.kms_key_arn, "RAW")
    assert not [call for call in aws.operations if call.startswith("s3:")]


def test_the_signed_text_can_never_be_a_token(booted, cloud, aws):
    """A signature over `header.payload` would be one."""
    invoke(probe_key, planned(cloud))
    [sign] = aws.params("kms:Sign")
    with pytest.raises(TokenRefused):
        UnverifiedToken.parse(sign["Message"].decode() + "." + "A" * 342)
    assert b" " in sign["Message"]


def test_a_jwks_without_the_key_fails(booted, cloud, published, monkeypatch):
    """CloudFront may still serve an older one."""
    monkeypatch.setattr(published, "read", lambda _path: b'{"keys":[]}')
    assert_fails(cloud, f"does not contain key {standby_kid(cloud)}")


def test_a_signature_that_does_not_verify_fails(booted, cloud, stack, monkeypatch):
    """The key in the JWKS is not the one that signs."""
    sign, active = stack.kms.sign, active_key(truth(cloud))
    monkeypatch.setattr(stack.kms, "sign", lambda _arn, text: sign(active.kms_key_arn, text))
    assert_fails(cloud, f"does not verify key {standby_kid(cloud)}")


def test_a_jwk_under_a_false_kid_does_not_count(booted, cloud, published, monkeypatch):
    """The kid is computed from the public key."""
    jwks = {jwk["kid"]: jwk for jwk in json.loads(cloud.s3.body(JWKS))["keys"]}
    false = {**jwks[active_kid(cloud)], "kid": standby_kid(cloud)}
    body = json.dumps({"keys": [false]}).encode()
    monkeypatch.setattr(published, "read", lambda _path: body)
    assert_fails(cloud, "does not contain")


def test_an_answer_other_than_200_fails(booted, cloud, published, monkeypatch):
    """The error names the status."""
    monkeypatch.setattr(published, "read", lambda _path: None)
    assert_fails(cloud, f"{published.url}/.well-known/jwks.json answers 404")


def test_a_url_that_cannot_be_reached_fails(booted, cloud, container):
    """The error says why."""
    container(issuer="http://127.0.0.1:9")
    assert_fails(cloud, "cannot be fetched: ")


def test_an_issuer_whose_name_does_not_resolve_yet(booted, cloud, container, site):
    """The JWKS is fetched from `jwks_origin`, which resolves before the issuer's DNS record exists."""
    container(issuer="https://issuer.invalid", jwks_origin=site.url)
    assert invoke(probe_key, planned(cloud))["outcome"] == "proved"


def test_a_refusal_of_kms_is_raised(booted, cloud, aws):
    """IAM and KMS can take minutes to know a new key: the state machine retries."""
    aws.fail("kms:Sign", aws.error("DisabledException"))
    with pytest.raises(KeyUnusable):
        invoke(probe_key, planned(cloud))


@pytest.mark.parametrize("kid", ["revoked", "unknown"])
def test_an_ended_standby_is_overtaken(booted, cloud, aws, kid):
    """A key that was revoked meanwhile, or that is unknown, does not sign."""
    kid = standby_kid(cloud) if kid == "revoked" else "k" * 43
    revoke_keys(booted, standby_kid(cloud))
    assert invoke(probe_key, planned(cloud, kid=kid))["outcome"] == "overtaken"
    assert "kms:Sign" not in aws.operations
