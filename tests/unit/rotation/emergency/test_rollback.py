"""Rollback: a grace key signs again, and the key that had superseded it goes the way of all keys."""

import pytest

from keyturn.aws.events import InvalidEvent
from keyturn.keyset import timing
from keyturn.keyset.model import EndedKey
from keyturn.keyset.states import State
from keyturn.rotation import activate_key, reconcile
from tests.unit.rotation.emergency.paths import GREEN, ROLLBACK, stops
from tests.unit.rotation.execution import turns
from tests.unit.rotation.stage import api, emergency, settled, writes_of
from tests.unit.stage import active_key, grace_until, invoke, standby_key, truth


@pytest.fixture
def turned(due, start):
    """A rotation that waits for the grace of the key it superseded."""
    return start().until("WaitForGrace")


@pytest.fixture
def old(turned):
    """The kid that was superseded."""
    return turned.data["plan"]["supersede"]


def back(start, kid, **event):
    """Start a rollback to a kid."""
    return start("rollback", kid=kid, **{"reason": "bad key", **event})


def test_a_rollback(turned, old, start, cloud, stack, clock):
    """The grace key signs, the other one verifies until its own end, then it is retired."""
    new, standby = active_key(truth(cloud)).kid, standby_key(truth(cloud)).kid
    token = api(stack).issue()
    run = back(start, old).until("WaitForGrace")
    keyset = truth(cloud)
    assert (active_key(keyset).kid, standby_key(keyset).kid) == (old, standby)
    assert [key.kid for key in keyset.grace] == [new]
    assert stack.well_known.read().generation == stack.keysets.read().number
    assert api(stack).check(token) == "ok"
    assert api(stack).check(api(stack).issue()) == "ok"
    until = grace_until(keyset, new)
    assert run.finish() == "Rotated"
    assert run.visited == ROLLBACK
    ended = truth(cloud).get(new)
    assert isinstance(ended, EndedKey)
    assert ended.state is State.RETIRED
    assert ended.ended > until
    assert cloud.kms.state(ended.kms_key_arn) == "PendingDeletion"
    assert turned.finish() == "Overtaken"  # its key signs: nothing to retire
    assert settled(stack, cloud).active.kid == old


def test_the_rotation_wakes_first(turned, old, start, cloud, stack):
    """A scheduled run that waits for the rolled-back key ends green and leaves it alone."""
    run = back(start, old).until("WaitForGrace")
    assert turned.finish() == "Overtaken"
    assert active_key(truth(cloud)).kid == old
    assert run.finish() == "Rotated"
    assert settled(stack, cloud).active.kid == old


def test_it_is_one_write_that_says_why(turned, old, start, stack):
    """Who and why are in the history, and the swap is one generation."""
    run = back(start, old).until("WaitForGrace")
    [written] = writes_of(stack, run)
    assert (written.started_by, written.reason) == ("tests", "bad key")
    assert written.keyset.active.kid == old


@pytest.mark.parametrize("early", [True, False], ids=["just in time", "too late"])
def test_too_late(turned, old, start, cloud, stack, clock, early):
    """From verify_until - ω - C - ε on a verifier may stop accepting the key before it hears."""
    limit = timing.roll_back_before(grace_until(truth(cloud), old), stack.times)
    clock.advance((limit - clock.now()).total_seconds() - (1 if early else 0))
    before = cloud.snapshot()
    run = back(start, old).until("WaitForGrace")
    if early:
        assert active_key(truth(cloud)).kid == old
    else:
        assert run.ended == "Overtaken"
        assert cloud.snapshot() == before


@pytest.mark.parametrize("which", ["active", "standby", "retired", "revoked", "unknown"])
def test_a_key_that_is_not_in_grace(turned, old, start, cloud, which):
    """The outcome is named and green, the execution ends at once, and nothing has changed."""
    if which == "retired":
        turned.finish()
    if which == "revoked":
        emergency(start, old).finish()
    kids = {
        "active": active_key(truth(cloud)).kid,
        "standby": standby_key(truth(cloud)).kid,
        "unknown": "u" * 43,
    }
    kid = kids.get(which, old)
    before = cloud.snapshot()
    run = back(start, kid)
    assert run.finish() == "Overtaken"
    assert run.visited == ["KeepRequest", "PlanRotation", "IsRotationDue", "Overtaken"]
    assert run.data["plan"]["outcome"] == "overtaken"
    if which != "active":
        assert kid in run.data["plan"]["reason"]
    assert cloud.snapshot() == before


def test_a_repeated_activate_does_not_undo_it(due, start, cloud):
    """The superseding run's step comes again, late: it is refused and changes nothing."""
    run = start().until("ActivateKey")
    again = run.data
    run.until("WaitForGrace")
    back(start, run.data["plan"]["supersede"]).until("WaitForGrace")
    keyset = truth(cloud)
    assert invoke(activate_key, again)["outcome"] == "overtaken"
    assert truth(cloud) == keyset


def test_an_operators_own_rotation_does_not_undo_it(booted, start, cloud, clock):
    """The run that was asked to supersede this very key wakes after the rollback."""
    clock.advance(60)
    old = active_key(truth(cloud)).kid
    asked = start(supersede=old).until("WaitForGrace")
    rollback = back(start, old).until("WaitForGrace")
    turns(asked, rollback)
    assert active_key(truth(cloud)).kid == old
    assert (asked.ended, rollback.ended) == ("Overtaken", "Rotated")


def test_a_rollback_while_the_reply_of_activate_is_lost(due, start, cloud, stack):
    """The run tries its step again after the rollback, and goes back to the plan."""
    run = start().until("ActivateKey")
    kid, old = run.data["standby"]["kid"], run.data["plan"]["supersede"]
    lost = start().until("WaitForGrace")
    assert active_key(truth(cloud)).kid == kid
    rollback = back(start, old).until("WaitForGrace")
    assert run.finish() == "Overtaken"
    assert active_key(truth(cloud)).kid == old
    turns(lost, rollback)
    assert (lost.ended in GREEN, rollback.ended) == (True, "Rotated")
    assert settled(stack, cloud).active.kid == old


@pytest.mark.parametrize("then", ["nothing", "retired", "revoked", "forgotten"])
def test_a_run_that_never_heard_that_it_turned_the_key(booted, start, cloud, stack, clock, then):
    """ActivateKey's reply is lost and the key rolled back: the run that asks again is over.

    Found by the model: the operator's rotation took the refusal for a reason to turn another key.
    """
    clock.advance(60)
    old, new = active_key(truth(cloud)).kid, standby_key(truth(cloud)).kid
    run = start(supersede=old).until("ActivateKey")
    invoke(activate_key, run.data)
    rollback = back(start, old).until("WaitForGrace")
    if then == "revoked":
        emergency(start, new).finish()
    if then in ("retired", "forgotten"):
        rollback.finish()
    if then == "forgotten":
        clock.sleep((booted.limits.ended_age + booted.limits.settling_time).total_seconds())
        invoke(reconcile, {})
        assert not truth(cloud).find(new)
    keyset = truth(cloud)
    assert run.finish() == "Overtaken"
    assert truth(cloud) == keyset
    rollback.finish()
    clock.sleep(booted.limits.settling_time.total_seconds() + 1)
    invoke(reconcile, {})
    assert settled(stack, cloud).active.kid == old


def test_a_run_whose_standby_was_revoked_still_turns_the_key(booted, start, cloud, clock):
    """The standby never signed: this run has not done what it was asked for."""
    clock.advance(60)
    old, lost = active_key(truth(cloud)).kid, standby_key(truth(cloud)).kid
    run = start(supersede=old).until("ActivateKey")
    emergency(start, lost).finish()
    assert run.finish() == "Rotated"
    assert active_key(truth(cloud)).kid not in (old, lost)


@pytest.mark.parametrize("position", stops(ROLLBACK))
def test_two_rollbacks(turned, old, start, stack, cloud, position):
    """The second one finds it done: one swap is made, and the same key signs."""
    first = back(start, old).until(position)
    second = back(start, old)
    assert second.finish() in GREEN
    assert first.finish() in GREEN
    turned.finish()
    assert settled(stack, cloud).active.kid == old


@pytest.mark.parametrize("position", stops(ROLLBACK))
@pytest.mark.parametrize("target", ["old", "new"])
def test_an_emergency_at_every_state_of_a_rollback(
    turned, old, start, cloud, stack, position, target
):
    """A revoked key does not come back by a rollback, whichever of the two it is."""
    new = active_key(truth(cloud)).kid
    gone = old if target == "old" else new
    run = back(start, old).until(position)
    retired = truth(cloud).get(gone).state is State.RETIRED
    assert emergency(start, gone).finish() == "Revoked"
    for other in (run, turned):
        if not other.ended:
            assert other.finish() in GREEN
    settled(stack, cloud, *([] if retired else [gone]))


def test_it_can_be_turned_again(turned, old, start, cloud, stack, clock):
    """The key that was rolled back is superseded by the standby when its new period is over."""
    standby = standby_key(truth(cloud)).kid
    run = back(start, old)
    turns(run, turned)
    clock.advance(40)
    assert start().finish() == "Rotated"
    assert settled(stack, cloud).active.kid == standby


def test_rolled_back_and_superseded_anew(turned, old, start, cloud, stack, clock):
    """The first run wakes early for a key in a second grace, and waits for that one's end."""
    rollback = back(start, old).until("WaitForGrace")
    clock.advance(10)
    token = api(stack).issue()
    again = start(supersede=old).until("WaitForGrace")
    until = grace_until(truth(cloud), old)
    turned.until("RetireKey").step()
    assert turned.data["retirement"]["outcome"] == "too_early"
    assert truth(cloud).get(old).state is State.GRACE
    assert api(stack).check(token) in ("ok", "expired")
    turns(turned, rollback, again)
    assert {run.ended for run in (turned, rollback, again)} <= GREEN
    ended = truth(cloud).get(old)
    assert isinstance(ended, EndedKey)
    assert ended.state is State.RETIRED
    assert ended.ended > until
    settled(stack, cloud)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kid": "previous"}, "kid"),
        ({"kid": None}, "kid"),
        ({"reason": ""}, "reason"),
        ({"kids": ["u" * 43]}, "kids"),
    ],
)
def test_an_input_that_is_not_understood(due, start, cloud, changes, field):
    """Refused by the field's name; nothing has changed."""
    before = cloud.snapshot()
    run = back(start, **{"kid": "u" * 43, **changes})
    assert run.finish() == "failed"
    assert isinstance(run.error, InvalidEvent)
    assert str(run.error).startswith(f"{field}: ")
    assert cloud.snapshot() == before
