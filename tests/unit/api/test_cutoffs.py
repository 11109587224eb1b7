"""Cut-offs at issuer and authorizer: what was issued before is refused, what comes after is good."""

import json

import pytest

from keyturn.api import issue_token
from keyturn.keyset import timing
from keyturn.keyset.cutoffs import Claim, digest_of
from keyturn.keyset.model import Origin
from keyturn.keyset.token_revocation import cut_off, release
from tests.unit.api.requests import ask, mint
from tests.unit.stage import invoke

UNAUTHORIZED = 401
CLAIMS = {"client_id": "shop", "sub": "ann", "jti": "jti-1"}


def change(booted, transition, *arguments, **options):
    """Another writer's change of the keyset."""

    def apply(keyset, now):
        timely = (now,) if transition is cut_off else ()
        return transition(keyset, *arguments, *timely, **options)

    booted.keysets.update(apply, Origin("op-other", "ann", "host broken into"))


def cut(booted, claim, value, *, block=False):
    """Cut off a claim's value in the keyset."""
    before = timing.cutoff_before(booted.clock.now(), booted.times)
    change(
        booted,
        cut_off,
        [(claim, digest_of(value))],
        before=before,
        times=booted.times,
        limits=booted.limits,
        block=block,
    )
    return before


def issue(**request):
    """A direct invoke for the client `shop`: status and body."""
    event = {"client": "shop", "subject": "ann", **request}
    return invoke(issue_token, event)


@pytest.mark.parametrize("claim", list(Claim))
def test_a_token_that_is_cut_off_is_refused(booted, cloud, clock, claim):
    """Once the view is renewed: within C, as for a revoked key."""
    token, other = mint(booted, cloud, **CLAIMS), mint(booted, cloud, **{**CLAIMS, claim: "other"})
    assert ask(f"Bearer {token}") != UNAUTHORIZED
    cut(booted, claim, CLAIMS[claim])
    clock.advance(1.001)
    assert ask(f"Bearer {token}") == UNAUTHORIZED
    assert ask(f"Bearer {other}") != UNAUTHORIZED


def test_one_that_was_issued_at_the_instant_is_accepted(booted, cloud, clock):
    """S15: nothing that is issued after the acknowledged cut-off is refused by it."""
    before = cut(booted, Claim.CLIENT, "shop")
    clock.advance((before - clock.now()).total_seconds())
    assert ask(f"Bearer {mint(booted, cloud, **CLAIMS)}") != UNAUTHORIZED
    late = int(before.timestamp()) - 1
    assert ask(f"Bearer {mint(booted, cloud, **CLAIMS, iat=late, nbf=late)}") == UNAUTHORIZED


def test_the_issuer_waits_rather_than_sign_what_would_be_refused(booted, clock):
    """503 with the seconds to wait, and the next token is good."""
    assert "access_token" in issue()
    before = cut(booted, Claim.CLIENT, "shop")
    clock.advance(1.001)
    refusal = issue()
    assert refusal["error"] == "temporarily_unavailable"
    clock.advance((before - clock.now()).total_seconds())
    assert ask(f"Bearer {issue()['access_token']}") != UNAUTHORIZED


def test_it_says_how_long_to_wait(booted, clock):
    """Retry-After, in whole seconds (RFC 9110 section 10.2.3)."""
    before = cut(booted, Claim.SUBJECT, "ann")
    answer = invoke(
        issue_token,
        {
            "path": "/token/shop",
            "pathParameters": {"client": "shop"},
            "body": json.dumps({"subject": "ann"}),
            "requestContext": {
                "identity": {"userArn": "arn:aws:sts::123456789012:assumed-role/Shop/one"}
            },
        },
    )
    wait = int(before.timestamp()) - int(clock.now().timestamp())
    assert answer["statusCode"] == 503
    assert answer["headers"]["Retry-After"] == str(wait)


def test_what_cut_offs_refuse_is_counted(booted, clock, printed):
    """503 and 403 apart, beside all refusals; the stack is the only dimension."""
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


def test_a_blocked_client_gets_nothing_until_it_is_released(booted, cloud, clock):
    """Its tokens and its requests are refused; after the release its next token is good."""
    old = mint(booted, cloud, **CLAIMS)
    cut(booted, Claim.CLIENT, "shop", block=True)
    clock.advance(30)
    assert issue() == {"error": "unauthorized_client", "error_description": "client: is blocked"}
    assert "access_token" in issue(client="batch-1")
    before = timing.cutoff_before(clock.now(), booted.times)
    change(booted, release, [digest_of("shop")], before=before, times=booted.times)
    clock.advance((before - clock.now()).total_seconds() + 1)
    assert "access_token" in issue()
    assert ask(f"Bearer {old}") == UNAUTHORIZED
