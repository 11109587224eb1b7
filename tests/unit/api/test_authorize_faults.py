"""If the service fails, the authorizer raises: never an Allow, a Deny that would be cached, or a 401."""

from dataclasses import replace

import pytest

from keyturn.aws.faults import AccessDenied, AwsFault, KeyUnusable, NoReply, Throttled
from keyturn.aws.keyset.reader import KeysetMissing
from keyturn.aws.view import ViewTooOld
from keyturn.keyset.model import Keyset
from keyturn.keyset.transitions import publish, register, revoke
from keyturn.tokens.jwk import NotASigningKey
from tests.unit.api import events
from tests.unit.api.requests import accepted, ask, check_silent, decide, forge_by_kid, mint
from tests.unit.changes import change
from tests.unit.stage import active_key, settle, standby_key, truth

KINDS = ["token", "request", "http"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_cold_container_without_ssm_raises(booted, cloud, aws, printed, caplog, kind):
    """Neither the error, which Lambda reports, nor the log contains any of the token."""
    token = mint(booted, cloud)
    aws.fail("ssm:*", aws.timeout, times=99)
    with pytest.raises(NoReply, match="ssm:GetParametersByPath") as raised:
        ask(token, kind)
    assert token not in repr(raised.value)
    check_silent(printed, caplog, token)


@pytest.mark.parametrize("kind", KINDS)
def test_without_ssm_a_view_beyond_the_stale_limit_raises(booted, cloud, aws, clock, kind):
    """Up to the stale limit valid tokens are accepted."""
    ask(mint(booted, cloud))
    aws.fail("ssm:*", aws.timeout, times=99)
    clock.advance(10)
    assert ask(mint(booted, cloud))["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    clock.advance(0.001)
    with pytest.raises(ViewTooOld):
        ask(mint(booted, cloud), kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("KMSInternalException", AwsFault),
        ("ThrottlingException", Throttled),
        ("DisabledException", KeyUnusable),
        ("AccessDeniedException", AccessDenied),
    ],
)
def test_without_the_public_key_it_raises(booted, cloud, aws, printed, caplog, kind, code, fault):
    """Once KMS answers again the same token is accepted."""
    token = mint(booted, cloud)
    outage = aws.fail("kms:GetPublicKey", aws.error(code), times=99)
    with pytest.raises(fault, match=code):
        ask(token, kind)
    check_silent(printed, caplog, token)
    outage.end()
    assert ask(token, kind)


def test_a_kid_with_another_key_s_arn_raises(booted, cloud):
    """A forged SSM parameter makes no token valid, and none invalid."""
    active, standby = active_key(truth(cloud)), standby_key(truth(cloud))
    settle(cloud, booted, Keyset((replace(active, kms_key_arn=standby.kms_key_arn),)))
    with pytest.raises(NotASigningKey):
        ask(mint(booted, cloud, active))


def test_a_missing_keyset_raises(stack, rsa_key):
    """Without a keyset no token is reported as invalid."""
    with pytest.raises(KeysetMissing):
        ask(forge_by_kid(rsa_key))


@pytest.mark.parametrize("kind", KINDS)
def test_a_malformed_token_needs_no_keyset(booted, aws, kind):
    """It is refused even without SSM, and costs no call."""
    aws.fail("*", aws.timeout, times=99)
    for header in ("Bearer a.b.c", None):
        assert decide(getattr(events, kind)(header)) is None
    assert aws.operations == []


def test_unknown_kids_cost_no_read_within_c(container, booted, cloud, rsa_key, aws, clock):
    """The number of such tokens does not matter, nor that each has another kid."""
    container(times=replace(booted.times, view_ttl=300, stale_limit=300))
    clock.fixed_fraction = 0
    ask(mint(booted, cloud))
    aws.reset()
    for number in range(60):
        clock.advance(5)
        assert not accepted(forge_by_kid(rsa_key, f"{number:043d}"))
    assert aws.operations == []


def test_an_unknown_kid_without_ssm_raises_beyond_c(booted, cloud, rsa_key, aws, clock):
    """The kid may be that of a new key, so the token may be valid."""
    ask(mint(booted, cloud))
    aws.fail("ssm:*", aws.timeout, times=99)
    clock.advance(6)
    assert accepted(mint(booted, cloud))
    with pytest.raises(ViewTooOld):
        ask(forge_by_kid(rsa_key))


def test_a_new_key_is_known_after_c(booted, cloud, clock):
    """Its tokens are refused until the view is renewed, then accepted."""
    clock.fixed_fraction = 0
    ask(mint(booted, cloud))
    periods = {"times": booted.times, "limits": booted.limits}
    change(booted, revoke, [standby_key(truth(cloud)).kid], **periods)
    key = booted.kms.create()
    kid = booted.kms.public_jwk(key.arn).kid
    change(booted, register, kid, key.arn, created=key.created, lifetime=15, limits=booted.limits)
    change(booted, publish, [kid])
    token = mint(booted, cloud, standby_key(truth(cloud)))
    assert not accepted(token)
    clock.advance(1.001)
    assert accepted(token)
