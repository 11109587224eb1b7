"""A rollback: a grace key becomes active again, and the key that had superseded it is retired."""

import pytest

from keyturn.keyset import timing
from keyturn.keyset.model import EndedKey
from keyturn.keyset.states import State
from keyturn.rotation import activate_key, reconcile
from tests.unit.rotation.emergency.paths import ROLLBACK
from tests.unit.rotation.stage import (
    api,
    assert_recovered,
    generations_written_by,
    start_emergency,
)
from tests.unit.stage import active_kid, grace_until, invoke, standby_kid, truth


@pytest.fixture
def rotation(due, start):
    """A rotation that waits for the grace of the key it superseded."""
    return start().until("WaitForGrace")


@pytest.fixture
def old(rotation):
    """The kid that was superseded."""
    return rotation.data["plan"]["supersede"]


def start_rollback(start, kid):
    """Start a rollback to a kid."""
    return start("rollback", kid=kid, reason="bad key")


def test_a_rollback(rotation, old, start, cloud, stack):
    """The grace key signs in one write, the other key verifies until its own end, then retires."""
    new, standby = active_kid(cloud), standby_kid(cloud)
    token = api(stack).issue()
    rollback = start_rollback(start, old).until("WaitForGrace")
    keyset = truth(cloud)
    assert (active_kid(cloud), standby_kid(cloud)) == (old, standby)
    assert [key.kid for key in keyset.grace] == [new]
    [generation] = generations_written_by(stack, rollback)
    assert (generation.started_by, generation.reason) == ("tests", "bad key")
    assert stack.well_known.read().generation == generation.number
    assert api(stack).check(token) == "ok"
    assert rollback.finish() == "Rotated"
    assert rollback.visited == ROLLBACK
    ended = truth(cloud).get(new)
    assert isinstance(ended, EndedKey)
    assert ended.state is State.RETIRED
    assert ended.ended > grace_until(keyset, new)
    assert cloud.kms.state(ended.kms_key_arn) == "PendingDeletion"
    assert rotation.finish() == "Overtaken"  # its key signs: nothing to retire
    assert_recovered(stack, cloud)
    assert active_kid(cloud) == old


@pytest.mark.parametrize("seconds_left", [1, 0])
def test_a_rollback_must_come_in_time(rotation, old, start, cloud, stack, clock, seconds_left):
    """From verify_until - ω - C - ε on, a verifier may drop the key before it learns of the rollback."""
    limit = timing.roll_back_before(grace_until(truth(cloud), old), stack.times)
    clock.advance((limit - clock.now()).total_seconds() - seconds_left)
    before = cloud.snapshot()
    rollback = start_rollback(start, old).until("WaitForGrace")
    if seconds_left:
        assert active_kid(cloud) == old
    else:
        assert rollback.ended == "Overtaken"
        assert cloud.snapshot() == before


@pytest.mark.parametrize("state", ["active", "standby", "retired", "revoked", "unknown"])
def test_a_key_that_is_not_in_grace(rotation, old, start, cloud, state):
    """The execution ends at once, succeeds, says why, and changes nothing."""
    if state == "retired":
        rotation.finish()
    if state == "revoked":
        start_emergency(start, old).finish()
    kids = {"active": active_kid(cloud), "standby": standby_kid(cloud), "unknown": "u" * 43}
    kid = kids.get(state, old)
    before = cloud.snapshot()
    rollback = start_rollback(start, kid)
    assert rollback.finish() == "Overtaken"
    assert rollback.visited == ["KeepRequest", "PlanRotation", "IsRotationDue", "Overtaken"]
    assert rollback.data["plan"]["outcome"] == "overtaken"
    if state != "active":
        assert kid in rollback.data["plan"]["reason"]
    assert cloud.snapshot() == before


def test_an_operators_own_rotation_does_not_undo_it(booted, start, cloud, clock):
    """The execution that was asked to supersede this very key wakes after the rollback."""
    clock.advance(60)
    old = active_kid(cloud)
    rotation = start(supersede=old).until("WaitForGrace")
    rollback = start_rollback(start, old).until("WaitForGrace")
    assert rotation.finish() == "Overtaken"
    assert rollback.finish() == "Rotated"
    assert active_kid(cloud) == old


@pytest.mark.parametrize("fate", ["grace", "retired", "revoked", "forgotten"])
def test_a_rotation_that_lost_the_reply_of_its_activation(booted, start, cloud, clock, fate):
    """Rolled back meanwhile, it recognises from the key's fate that it has rotated, and ends.

    Found by the model: an operator's rotation took the refusal for a reason to activate another key.
    """
    clock.advance(60)
    old, new = active_kid(cloud), standby_kid(cloud)
    rotation = start(supersede=old).until("ActivateKey")
    invoke(activate_key, rotation.data)
    rollback = start_rollback(start, old).until("WaitForGrace")
    if fate == "revoked":
        start_emergency(start, new).finish()
    if fate in ("retired", "forgotten"):
        rollback.finish()
    if fate == "forgotten":
        clock.sleep((booted.limits.ended_age + booted.limits.settling_time).total_seconds())
        invoke(reconcile, {})
        assert not truth(cloud).find(new)
    keyset = truth(cloud)
    assert rotation.finish() == "Overtaken"
    assert truth(cloud) == keyset


def test_a_rotation_whose_standby_was_revoked_goes_on(booted, start, cloud, clock):
    """The standby never signed, so this execution has not rotated yet."""
    clock.advance(60)
    old, standby = active_kid(cloud), standby_kid(cloud)
    rotation = start(supersede=old).until("ActivateKey")
    start_emergency(start, standby).finish()
    assert rotation.finish() == "Rotated"
    assert active_kid(cloud) not in (old, standby)


def test_it_can_be_superseded_again(rotation, old, start, cloud, stack, clock):
    """Once its new period is over, the standby supersedes the key that was rolled back to."""
    standby = standby_kid(cloud)
    start_rollback(start, old).finish()
    rotation.finish()
    clock.advance(40)
    assert start().finish() == "Rotated"
    assert_recovered(stack, cloud)
    assert active_kid(cloud) == standby


def test_a_second_grace_is_waited_for(rotation, old, start, cloud, clock):
    """A rotation that wakes after a rollback and another supersession does not retire early."""
    start_rollback(start, old).until("WaitForGrace")
    clock.advance(10)
    start(supersede=old).until("WaitForGrace")
    rotation.until("RetireKey").step()
    assert rotation.data["retirement"]["outcome"] == "too_early"
    assert truth(cloud).get(old).state is State.GRACE
