"""ProbeKey: the standby signs, and the world verifies it with the JWKS on the public URL."""

import json

import pytest

from keyturn.aws.faults import KeyUnusable
from keyturn.aws.well_known import JWKS
from keyturn.keyset.transitions import revoke
from keyturn.rotation import probe_key
from keyturn.rotation.probe_key import ProbeFailed
from keyturn.tokens.errors import TokenRefused
from keyturn.tokens.jws import UnverifiedToken
from tests.unit.stage import invoke


@pytest.fixture
def step(booted, planned):
    """Run the step."""
    return lambda **plan: invoke(probe_key, planned(**plan))


@pytest.fixture
def show(published, monkeypatch):
    """Let the public URL show something else than the bucket does."""

    def show(body):
        monkeypatch.setattr(published, "read", lambda _path: body)

    return show


def test_a_key_that_the_world_verifies_is_proved(step, truth, aws):
    """One signature by the standby, verified with what the public URL shows."""
    assert step() == {"outcome": "proved", "kid": truth().standby.kid}
    [signed] = aws.params("kms:Sign")
    assert (signed["KeyId"], signed["MessageType"]) == (truth().standby.kms_key_arn, "RAW")
    assert not [call for call in aws.operations if call.startswith("s3:")]


def test_what_is_signed_can_never_be_a_token(step, aws):
    """A signature over `header.payload` would be one."""
    step()
    [signed] = aws.params("kms:Sign")
    with pytest.raises(TokenRefused):
        UnverifiedToken.parse(signed["Message"].decode() + "." + "A" * 342)
    assert b" " in signed["Message"]


def test_a_jwks_without_the_key_fails(step, truth, show):
    """The CDN may show an older one: the step is tried again."""
    kid = truth().standby.kid
    show(b'{"keys":[]}')
    with pytest.raises(ProbeFailed, match=f"does not contain key {kid}"):
        step()


def test_a_signature_that_does_not_verify_fails(step, truth, stack, monkeypatch):
    """The key in the JWKS is not the one that signs."""
    sign, active = stack.kms.sign, truth().active
    monkeypatch.setattr(stack.kms, "sign", lambda _arn, text: sign(active.kms_key_arn, text))
    with pytest.raises(ProbeFailed, match=f"does not verify key {truth().standby.kid}"):
        step()


def test_a_member_that_lies_about_its_kid_does_not_count(step, truth, show, cloud):
    """The kid is recomputed from the numbers."""
    members = {m["kid"]: m for m in json.loads(cloud.s3.body(JWKS))["keys"]}
    lie = {**members[truth().active.kid], "kid": truth().standby.kid}
    show(json.dumps({"keys": [lie]}).encode())
    with pytest.raises(ProbeFailed, match="does not contain"):
        step()


def test_an_answer_other_than_200_fails(step, show, published):
    """Its status is named."""
    show(None)
    with pytest.raises(ProbeFailed, match=f"{published.url}/.well-known/jwks.json answers 404"):
        step()


def test_a_url_that_cannot_be_reached_fails(step, container):
    """Its kind of trouble is named."""
    container(issuer="http://127.0.0.1:9")
    with pytest.raises(ProbeFailed, match="cannot be fetched: "):
        step()


def test_an_issuer_whose_name_does_not_resolve_yet(step, container, site, truth):
    """The JWKS is fetched from `jwks_origin`, which resolves before the issuer's DNS record exists."""
    container(issuer="https://issuer.invalid", jwks_origin=site.url)
    assert step() == {"outcome": "proved", "kid": truth().standby.kid}


def test_kms_refusing_to_sign_is_raised(step, aws):
    """IAM and KMS can take minutes to see a new key: the step is tried again."""
    aws.fail("kms:Sign", aws.error("DisabledException"))
    with pytest.raises(KeyUnusable):
        step()


@pytest.mark.parametrize("kid", ["ended", "unknown"])
def test_a_standby_that_is_gone_is_overtaken(booted, step, truth, change, aws, kid):
    """A key that was revoked meanwhile, or was never there, does not sign any more."""
    kid = truth().standby.kid if kid == "ended" else "k" * 43
    change(revoke, [truth().standby.kid], times=booted.times, limits=booted.limits)
    assert step(kid=kid)["outcome"] == "overtaken"
    assert "kms:Sign" not in aws.operations
