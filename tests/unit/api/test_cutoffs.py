"""Cut-offs at issuer and authorizer: earlier tokens are refused, later ones are valid."""

import json

import pytest

from keyturn.api import issue_token
from keyturn.keyset import timing
from keyturn.keyset.cutoffs import Claim, digest_of
from keyturn.keyset.token_revocation import cut_off, release
from tests.unit.api.requests import accepted, mint, post
from tests.unit.changes import change
from tests.unit.stage import invoke

CLAIMS = {"client_id": "shop", "sub": "ann", "jti": "jti-1"}


def cut(booted, claim, value, *, block=False):
    """Cut off a claim's value in the keyset; returns the instant of the cut-off."""
    before = timing.cutoff_before(booted.clock.now(), booted.times)
    periods = {"times": booted.times, "limits": booted.limits}
    change(booted, cut_off, [(claim, digest_of(value))], before=before, block=block, **periods)
    return before


def issue(**request):
    """The answer to a direct invoke for the client `shop`."""
    return invoke(issue_token, {"client": "shop", "subject": "ann", **request})


def wait_until(clock, instant):
    """Let time pass until then."""
    clock.advance((instant - clock.now()).total_seconds())


@pytest.mark.parametrize("claim", list(Claim))
def test_a_token_that_is_cut_off_is_refused(booted, cloud, clock, claim):
    """It is refused once the view is renewed, within C, as with a revoked key."""
    token, other = mint(booted, cloud, **CLAIMS), mint(booted, cloud, **{**CLAIMS, claim: "other"})
    assert accepted(token)
    cut(booted, claim, CLAIMS[claim])
    clock.advance(1.001)
    assert not accepted(token)
    assert accepted(other)


def test_a_token_issued_at_the_instant_of_the_cut_off_is_accepted(booted, cloud, clock):
    """S15: a cut-off refuses no token that is issued after it was acknowledged."""
    before = cut(booted, Claim.CLIENT, "shop")
    wait_until(clock, before)
    assert accepted(mint(booted, cloud, **CLAIMS))
    earlier = int(before.timestamp()) - 1
    assert not accepted(mint(booted, cloud, **CLAIMS, iat=earlier, nbf=earlier))


def test_the_issuer_does_not_sign_a_token_that_would_be_refused(booted, clock):
    """It answers 503 with the seconds to wait (RFC 9110 section 10.2.3); the next token is valid."""
    assert "access_token" in issue()
    before = cut(booted, Claim.CLIENT, "shop")
    clock.advance(1.001)
    answer = post({"subject": "ann"})
    wait = int(before.timestamp()) - int(clock.now().timestamp())
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, str(wait))
    assert json.loads(answer["body"])["error"] == "temporarily_unavailable"
    wait_until(clock, before)
    assert accepted(issue()["access_token"])


def test_refusals_by_cut_offs_are_counted(booted, clock, printed):
    """503 and 403 have metrics of their own; the stack is the only dimension."""
    cut(booted, Claim.CLIENT, "shop")
    clock.advance(1.001)
    issue()
    cut(booted, Claim.CLIENT, "shop", block=True)
    clock.advance(1.001)
    issue()
    issue(subject="")  # refused for another reason
    lines = [json.loads(line) for line in printed().splitlines() if "_aws" in line]
    names = [
        {metric["Name"] for metric in directive["Metrics"]}
        for line in lines
        for directive in line["_aws"]["CloudWatchMetrics"]
        if directive["Dimensions"] == [["service"]]
    ]
    assert names == [
        {"TokensRefused", "RequestsCutOff"},
        {"TokensRefused", "RequestsBlocked"},
        {"TokensRefused"},
    ]


def test_a_blocked_client_gets_no_token_until_it_is_released(booted, cloud, clock, origin):
    """Its tokens and its requests are refused; after the release its next token is valid."""
    old = mint(booted, cloud, **CLAIMS)
    cut(booted, Claim.CLIENT, "shop", block=True)
    clock.advance(30)
    assert issue() == {"error": "unauthorized_client", "error_description": "client: is blocked"}
    assert "access_token" in issue(client="batch-1")
    before = timing.cutoff_before(clock.now(), booted.times)
    booted.keysets.update(
        lambda keyset, _now: release(
            keyset, [digest_of("shop")], before=before, times=booted.times
        ),
        origin,
    )
    wait_until(clock, before)
    clock.advance(1)
    assert "access_token" in issue()
    assert not accepted(old)
