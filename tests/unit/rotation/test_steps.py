"""ActivateKey, RetireKey and DestroyKey: when they act and when they refuse."""

from datetime import timedelta

import pytest

from keyturn.aws.faults import NoReply
from keyturn.keyset.states import State
from keyturn.keyset.transitions import retire, revoke, roll_back
from keyturn.rotation import activate_key, create_key, destroy_key, retire_key
from keyturn.rotation.task import rfc3339
from tests.unit.changes import change, revoke_keys, supersede
from tests.unit.rotation.stage import planned
from tests.unit.stage import active_kid, grace_until, invoke, standby_key, standby_kid, truth

WAIT, GRACE = timedelta(seconds=10), timedelta(seconds=29)
UNKNOWN = "k" * 43


@pytest.fixture
def superseded(due, cloud):
    """A stack whose first key is in grace; returns that key."""
    return supersede(due, cloud)


@pytest.fixture
def ending(superseded, cloud):
    """The execution's data while the superseded key waits for its end."""
    return planned(cloud, supersede=superseded.kid)


def assert_refused(cloud, module, event, outcome="overtaken", reason=""):
    """Assert that a step refuses to act, and changes nothing."""
    before = cloud.snapshot()
    refusal = invoke(module, event)
    assert refusal["outcome"] == outcome
    assert reason in refusal["reason"]
    assert cloud.snapshot() == before


def test_activation_waits_strictly_for_the_publication(booted, cloud, clock):
    """At published + max(P, C) + ω + ε it is too early, one second later it is not."""
    active, standby = active_kid(cloud), standby_key(truth(cloud))
    assert standby.published
    clock.wall = standby.published + WAIT
    assert_refused(cloud, activate_key, planned(cloud), "too_early", standby.kid)
    clock.advance(1)
    outcome = invoke(activate_key, planned(cloud))
    assert (outcome["outcome"], outcome["kid"]) == ("activated", standby.kid)
    assert active_kid(cloud) == standby.kid
    assert truth(cloud).get(active).state is State.GRACE


def test_activation_says_when_the_old_key_may_retire(due, cloud, clock):
    """ω + C + τ + lifetime + λ + ε = 29 s, and ε = 1 s for the retiring clock and for the waking one."""
    old = active_kid(cloud)
    outcome = invoke(activate_key, planned(cloud))
    assert grace_until(truth(cloud), old) == clock.now() + GRACE
    assert outcome["retire_at"] == rfc3339(clock.now() + GRACE + timedelta(seconds=3))


def test_a_lost_reply_of_the_activation_counts_once(due, cloud, aws):
    """There is one generation more, and the second attempt has the first one's outcome."""
    event, before = planned(cloud), due.keysets.read().number
    aws.fail("ssm:PutParameter", aws.timeout, after=True)
    first = invoke(activate_key, event)
    assert first == invoke(activate_key, event)
    assert (first["outcome"], due.keysets.read().number) == ("activated", before + 1)


def test_only_the_operation_that_activated_a_key_goes_on(due, cloud):
    """A duplicate execution is overtaken; the first one still succeeds after others have written."""
    event, duplicate = planned(cloud, op_id="op-2"), planned(cloud, op_id="op-3")
    invoke(activate_key, event)
    assert_refused(cloud, activate_key, duplicate, reason="another operation activated key")
    invoke(create_key, planned(cloud, op_id="op-4"))
    assert invoke(activate_key, event)["outcome"] == "activated"
    assert_refused(cloud, activate_key, duplicate, reason="another operation activated key")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kid": UNKNOWN}, "not in the keyset"),
        ({"supersede": UNKNOWN}, "is active"),
        ({"supersede": None}, "is active"),
    ],
    ids=["unknown standby", "another active key", "no active key expected"],
)
def test_an_outdated_plan_is_overtaken(due, cloud, changes, reason):
    """The keyset is not the one that the execution has planned for."""
    assert_refused(cloud, activate_key, planned(cloud, **changes), reason=reason)


def test_activation_of_an_ended_key_is_overtaken(due, cloud):
    """A revoked key stays revoked."""
    event = planned(cloud)
    revoke_keys(due, standby_kid(cloud))
    assert_refused(cloud, activate_key, event)


def test_a_repeated_activation_does_not_undo_a_rollback(due, cloud):
    """The key is in grace, and grace keys are not activated."""
    old, event = active_kid(cloud), planned(cloud)
    invoke(activate_key, event)
    change(due, roll_back, old, supersede=active_kid(cloud), times=due.times)
    assert_refused(cloud, activate_key, event)


def test_retirement_waits_strictly_for_the_last_token(superseded, ending, cloud, clock):
    """At verify_until + ε it is too early, one second later it is not."""
    clock.wall = grace_until(truth(cloud), superseded.kid) + timedelta(seconds=1)
    assert_refused(cloud, retire_key, ending, "too_early")
    clock.advance(1)
    outcome = invoke(retire_key, ending)
    assert (outcome["outcome"], outcome["kid"]) == ("retired", superseded.kid)
    assert truth(cloud).get(superseded.kid).state is State.RETIRED


@pytest.mark.parametrize("fate", ["revoked", "rolled back", "forgotten"])
def test_only_a_grace_key_is_retired(due, superseded, ending, cloud, clock, fate):
    """For a key in another state the step is overtaken."""
    if fate == "revoked":
        revoke_keys(due, superseded.kid)
    elif fate == "rolled back":
        change(due, roll_back, superseded.kid, supersede=active_kid(cloud), times=due.times)
    else:
        ending["plan"]["supersede"] = UNKNOWN
    clock.advance(60)
    assert_refused(cloud, retire_key, ending)


@pytest.mark.parametrize("fate", ["grace", "forgotten"])
def test_only_an_ended_key_is_destroyed(superseded, ending, aws, cloud, fate):
    """KMS is not called for any other key, whatever the execution believes."""
    reason = f"key {superseded.kid} is grace"
    if fate == "forgotten":
        ending["plan"]["supersede"], reason = UNKNOWN, ""
    assert_refused(cloud, destroy_key, ending, reason=reason)
    assert not [call for call in aws.operations if call.startswith("kms:")]


@pytest.mark.parametrize("transition", [retire, revoke])
def test_a_retired_or_revoked_key_is_destroyed(due, superseded, ending, clock, cloud, transition):
    """It is deleted after the deployment's window; a second attempt changes nothing."""
    clock.advance(60)
    kid = superseded.kid if transition is retire else [superseded.kid]
    change(due, transition, kid, times=due.times, limits=due.limits)
    deletions = []
    for _ in range(2):
        assert invoke(destroy_key, ending) == {"outcome": "destroyed", "kid": superseded.kid}
        key = cloud.kms.keys[superseded.kms_key_arn]
        deletions.append((cloud.kms.state(superseded.kms_key_arn), key.deletion))
        clock.advance(1)
    assert deletions[0] == ("PendingDeletion", pytest.approx(key.states[-1][0] + 7 * 86_400))
    assert deletions[0] == deletions[1]


def test_a_fault_is_raised_and_not_an_outcome(due, cloud, aws):
    """The state machine retries faults; no Choice state sees them."""
    aws.fail("ssm:GetParametersByPath", aws.timeout, times=3)
    with pytest.raises(NoReply):
        invoke(activate_key, planned(cloud))
