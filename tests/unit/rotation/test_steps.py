"""ActivateKey, RetireKey and DestroyKey: when they act, when they refuse, and by which name."""

from datetime import timedelta

import pytest

from keyturn.aws.faults import NoReply
from keyturn.keyset.states import State
from keyturn.keyset.transitions import retire, revoke, roll_back
from keyturn.rotation import activate_key, destroy_key, retire_key
from tests.unit.changes import change, revoke_keys, supersede
from tests.unit.rotation.stage import planned
from tests.unit.stage import (
    active_key,
    active_kid,
    grace_until,
    invoke,
    standby_key,
    standby_kid,
    truth,
)

WAIT, GRACE = timedelta(seconds=10), timedelta(seconds=29)


@pytest.fixture
def superseded(due, stack, cloud):
    """A stack whose first key is in grace; returns that key."""
    return supersede(due, cloud)


@pytest.fixture
def ending(superseded, cloud):
    """The execution's data while the superseded key waits for its end."""
    return planned(cloud, supersede=superseded.kid)


def test_activation_waits_strictly_for_the_publication(booted, cloud, clock):
    """At published + max(P, C) + ω + ε it is too early, one second later it is not."""
    active, standby = active_key(truth(cloud)), standby_key(truth(cloud))
    assert standby.published
    clock.wall = standby.published + WAIT
    before = cloud.snapshot()
    refused = invoke(activate_key, planned(cloud))
    assert (refused["outcome"], standby.kid in refused["reason"]) == ("too_early", True)
    assert cloud.snapshot() == before
    clock.advance(1)
    event = planned(cloud)
    outcome = invoke(activate_key, event)
    assert (outcome["outcome"], outcome["kid"]) == ("activated", standby.kid)
    assert active_kid(cloud) == standby.kid
    assert truth(cloud).get(active.kid).state is State.GRACE


def test_activation_says_when_the_old_key_may_retire(due, cloud, clock):
    """ω + C + τ + lifetime + λ + ε = 29 s, and ε = 1 s for the clock of whoever retires
    it, and again for that of whoever wakes it."""
    old = active_kid(cloud)
    outcome = invoke(activate_key, planned(cloud))
    assert grace_until(truth(cloud), old) == clock.now() + GRACE
    assert outcome["retire_at"] == (clock.now() + GRACE + timedelta(seconds=3)).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def test_a_lost_reply_of_the_activation_counts_once(due, cloud, aws):
    """One generation more, and the outcome of the attempt that had its effect."""
    event, before = planned(cloud), due.keysets.read().number
    aws.fail("ssm:PutParameter", aws.timeout, after=True)
    first = invoke(activate_key, event)
    assert first == invoke(activate_key, event)
    assert (first["outcome"], due.keysets.read().number) == ("activated", before + 1)


@pytest.mark.parametrize(
    ("change_of", "why"),
    [
        ({"kid": "k" * 43}, "not in the keyset"),
        ({"supersede": "k" * 43}, "is active"),
        ({"supersede": None}, "is active"),
    ],
    ids=["unknown standby", "another active key", "nobody expected"],
)
def test_activation_in_another_world_is_overtaken(due, cloud, change_of, why):
    """The run planned something that does not hold any more; nothing changes."""
    event, before = planned(cloud, **change_of), cloud.snapshot()
    outcome = invoke(activate_key, event)
    assert (outcome["outcome"], why in outcome["reason"]) == ("overtaken", True)
    assert cloud.snapshot() == before


def test_activation_of_an_ended_key_is_overtaken(due, cloud, stack):
    """Revoked is revoked."""
    event = planned(cloud)
    revoke_keys(stack, standby_kid(cloud))
    before = cloud.snapshot()
    assert invoke(activate_key, event)["outcome"] == "overtaken"
    assert cloud.snapshot() == before


def test_a_repeated_activation_does_not_undo_a_rollback(due, cloud, stack):
    """The zombie's key is in grace, and grace keys are not activated."""
    old, event = active_key(truth(cloud)), planned(cloud)
    invoke(activate_key, event)
    change(stack, roll_back, old.kid, supersede=active_kid(cloud), times=due.times)
    before = cloud.snapshot()
    assert invoke(activate_key, event)["outcome"] == "overtaken"
    assert cloud.snapshot() == before


def test_retirement_waits_strictly_for_the_last_token(superseded, ending, cloud, clock):
    """At verify_until + ε it is too early, one second later it is not."""
    clock.wall = grace_until(truth(cloud), superseded.kid) + timedelta(seconds=1)
    before = cloud.snapshot()
    assert invoke(retire_key, ending)["outcome"] == "too_early"
    assert cloud.snapshot() == before
    clock.advance(1)
    outcome = invoke(retire_key, ending)
    assert (outcome["outcome"], outcome["kid"]) == ("retired", superseded.kid)
    assert truth(cloud).get(superseded.kid).state is State.RETIRED


@pytest.mark.parametrize("fate", ["revoked", "rolled back", "forgotten"])
def test_retirement_of_a_key_that_is_not_in_grace_is_overtaken(
    due, superseded, ending, cloud, stack, clock, fate
):
    """There is nothing to retire."""
    if fate == "revoked":
        revoke_keys(stack, superseded.kid)
    elif fate == "rolled back":
        change(
            stack,
            roll_back,
            superseded.kid,
            supersede=active_kid(cloud),
            times=due.times,
        )
    else:
        ending["plan"]["supersede"] = "k" * 43
    clock.advance(60)
    before = cloud.snapshot()
    assert invoke(retire_key, ending)["outcome"] == "overtaken"
    assert cloud.snapshot() == before


def test_destruction_is_for_ended_keys_only(superseded, ending, aws, cloud):
    """A key in grace is not touched, whatever the execution believes."""
    before = cloud.snapshot()
    outcome = invoke(destroy_key, ending)
    assert outcome == {"outcome": "overtaken", "reason": f"key {superseded.kid} is grace"}
    assert cloud.snapshot() == before
    assert not [call for call in aws.operations if call.startswith("kms:")]


@pytest.mark.parametrize("transition", [retire, revoke])
def test_a_retired_or_revoked_key_is_destroyed(
    due, superseded, ending, stack, clock, cloud, transition
):
    """Disabled at once, gone after the deployment's window; a second time changes nothing."""
    clock.advance(60)
    kid = superseded.kid if transition is retire else [superseded.kid]
    change(stack, transition, kid, times=due.times, limits=due.limits)
    described = []
    for _ in range(2):
        assert invoke(destroy_key, ending) == {"outcome": "destroyed", "kid": superseded.kid}
        key = cloud.kms.keys[superseded.kms_key_arn]
        described.append((cloud.kms.state(superseded.kms_key_arn), key.deletion))
        clock.advance(1)
    assert described[0] == ("PendingDeletion", pytest.approx(key.states[-1][0] + 7 * 86_400))
    assert described[0] == described[1]


def test_a_forgotten_key_is_not_destroyed(due, ending, aws):
    """What no fresh read shows as ended is left to reconcile."""
    ending["plan"]["supersede"] = "k" * 43
    assert invoke(destroy_key, ending)["outcome"] == "overtaken"
    assert not [call for call in aws.operations if call.startswith("kms:")]


def test_a_fault_is_raised_and_not_an_outcome(due, cloud, aws):
    """The state machine retries faults; a Choice state must not see one."""
    aws.fail("ssm:GetParametersByPath", aws.timeout, times=3)
    with pytest.raises(NoReply):
        invoke(activate_key, planned(cloud))
