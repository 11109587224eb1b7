"""ProbeKey: the standby signs, and the world verifies it with the JWKS on the public URL."""

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


def show(published, monkeypatch, body):
    """Let the public URL show something else than the bucket does."""
    monkeypatch.setattr(published, "read", lambda _path: body)


def test_a_key_that_the_world_verifies_is_proved(booted, cloud, aws):
    """One signature by the standby, verified with what the public URL shows."""
    assert invoke(probe_key, planned(cloud)) == {
        "outcome": "proved",
        "kid": standby_kid(cloud),
    }
    [signed] = aws.params("kms:Sign")
    assert (signed["KeyId"], signed["MessageType"]) == (
        standby_key(truth(cloud)).kms_key_arn,
        "RAW",
    )
    assert not [call for call in aws.operations if call.startswith("s3:")]


def test_what_is_signed_can_never_be_a_token(booted, cloud, aws):
    """A signature over `header.payload` would be one."""
    invoke(probe_key, planned(cloud))
    [signed] = aws.params("kms:Sign")
    with pytest.raises(TokenRefused):
        UnverifiedToken.parse(signed["Message"].decode() + "." + "A" * 342)
    assert b" " in signed["Message"]


def test_a_jwks_without_the_key_fails(booted, cloud, published, monkeypatch):
    """The CDN may show an older one: the step is tried again."""
    kid = standby_kid(cloud)
    show(published, monkeypatch, b'{"keys":[]}')
    with pytest.raises(ProbeFailed, match=f"does not contain key {kid}"):
        invoke(probe_key, planned(cloud))


def test_a_signature_that_does_not_verify_fails(booted, cloud, stack, monkeypatch):
    """The key in the JWKS is not the one that signs."""
    sign, active = stack.kms.sign, active_key(truth(cloud))
    monkeypatch.setattr(stack.kms, "sign", lambda _arn, text: sign(active.kms_key_arn, text))
    with pytest.raises(ProbeFailed, match=f"does not verify key {standby_kid(cloud)}"):
        invoke(probe_key, planned(cloud))


def test_a_member_that_lies_about_its_kid_does_not_count(booted, cloud, published, monkeypatch):
    """The kid is recomputed from the numbers."""
    members = {m["kid"]: m for m in json.loads(cloud.s3.body(JWKS))["keys"]}
    lie = {**members[active_kid(cloud)], "kid": standby_kid(cloud)}
    show(published, monkeypatch, json.dumps({"keys": [lie]}).encode())
    with pytest.raises(ProbeFailed, match="does not contain"):
        invoke(probe_key, planned(cloud))


def test_an_answer_other_than_200_fails(booted, cloud, published, monkeypatch):
    """Its status is named."""
    show(published, monkeypatch, None)
    with pytest.raises(ProbeFailed, match=f"{published.url}/.well-known/jwks.json answers 404"):
        invoke(probe_key, planned(cloud))


def test_a_url_that_cannot_be_reached_fails(booted, cloud, container):
    """Its kind of trouble is named."""
    container(issuer="http://127.0.0.1:9")
    with pytest.raises(ProbeFailed, match="cannot be fetched: "):
        invoke(probe_key, planned(cloud))


def test_an_issuer_whose_name_does_not_resolve_yet(booted, cloud, container, site):
    """The JWKS is fetched from `jwks_origin`, which resolves before the issuer's DNS record exists."""
    container(issuer="https://issuer.invalid", jwks_origin=site.url)
    assert invoke(probe_key, planned(cloud)) == {
        "outcome": "proved",
        "kid": standby_kid(cloud),
    }


def test_kms_refusing_to_sign_is_raised(booted, cloud, aws):
    """IAM and KMS can take minutes to see a new key: the step is tried again."""
    aws.fail("kms:Sign", aws.error("DisabledException"))
    with pytest.raises(KeyUnusable):
        invoke(probe_key, planned(cloud))


@pytest.mark.parametrize("kid", ["ended", "unknown"])
def test_a_standby_that_is_gone_is_overtaken(booted, cloud, stack, aws, kid):
    """A key that was revoked meanwhile, or was never there, does not sign any more."""
    kid = standby_kid(cloud) if kid == "ended" else "k" * 43
    revoke_keys(stack, standby_kid(cloud))
    assert invoke(probe_key, planned(cloud, kid=kid))["outcome"] == "overtaken"
    assert "kms:Sign" not in aws.operations
