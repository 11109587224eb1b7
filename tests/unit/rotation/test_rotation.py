"""Whole rotations: the real definition, the real handlers, and the tests' clock."""

from datetime import timedelta

import pytest

from keyturn.keyset import document, timing
from keyturn.keyset.states import State
from keyturn.keyset.transitions import revoke, roll_back
from tests.unit.changes import change
from tests.unit.rotation.stage import at_rest
from tests.unit.stage import active_key, standby_key, truth


def test_the_first_rotation_of_all(founded, start, stack, cloud, clock):
    """A keyset without keys gets an active and a published standby key, without any wait."""
    run = start(started_by="cloudformation")
    start = clock.now()
    assert run.finish() == "Rotated"
    assert run.outcomes == [
        ("plan_rotation", "rotate"),
        ("create_key", "created"),
        ("publish_jwks", "published"),
        ("probe_key", "proved"),
        ("activate_key", "activated_without_grace"),
        ("create_key", "created"),
        ("publish_jwks", "published"),
    ]
    assert clock.now() - start < timedelta(seconds=2)
    generation = at_rest(stack, cloud)
    assert (generation.started_by, generation.keyset.ended) == ("cloudformation", ())


def test_a_scheduled_rotation(due, start, cloud, stack, clock):
    """The standby signs, the next one is published, and the old key goes when its grace is over."""
    old, standby = active_key(truth(cloud)), standby_key(truth(cloud))
    run = start(started_by="schedule")
    start = clock.now()
    assert run.finish() == "Rotated"
    assert run.outcomes == [
        ("plan_rotation", "rotate"),
        ("create_key", "exists"),
        ("publish_jwks", "published"),
        ("probe_key", "proved"),
        ("activate_key", "activated"),
        ("create_key", "created"),
        ("publish_jwks", "published"),
        ("retire_key", "retired"),
        ("publish_jwks", "published"),
        ("destroy_key", "destroyed"),
    ]
    keyset = at_rest(stack, cloud).keyset
    assert (active_key(keyset).kid, standby_key(keyset).kid == old.kid) == (standby.kid, False)
    assert [(key.kid, key.state) for key in keyset.ended] == [(old.kid, State.RETIRED)]
    assert keyset.ended[0].ended > timing.verify_until(start, old.lifetime, due.times)
    assert (run.data["plan"]["reason"], run.data["plan"]["supersede"]) == (
        "active_key_due",
        old.kid,
    )


def test_each_change_of_a_rotation_says_where_it_came_from(due, start):
    """The history can be read: who, why, and which operation, in every generation."""
    before = due.keysets.read().number
    start(started_by="schedule").finish()
    made = [
        document.loads(text) for number, text in due.keysets.read_texts().items() if number > before
    ]
    assert len(made) == 4  # activated, registered, published, retired
    assert {(g.started_by, g.reason) for g in made} == {("schedule", "active_key_due")}
    assert len({g.op_id for g in made}) == 1


@pytest.mark.parametrize("first", [True, False], ids=["first", "scheduled"])
def test_every_step_twice_changes_nothing_more(founded, start, stack, cloud, clock, first):
    """Each Task run a second time leaves the keyset, KMS and the bucket as they are."""
    if not first:
        start().finish()
        clock.advance(founded.times.rotation_period + 1)
    run = start()
    run.twice = True
    assert run.finish() == "Rotated"
    at_rest(stack, cloud)


@pytest.mark.parametrize("event", [{}, {"started_by": "schedule"}])
def test_a_duplicate_event_does_nothing(due, start, cloud, event):
    """Right after a rotation the next one is not due, and not one thing changes."""
    start().finish()
    before = cloud.snapshot()
    again = start(**event)
    assert again.finish() == "NotDue"
    assert again.outcomes == [("plan_rotation", "not_due")]
    assert cloud.snapshot() == before


def test_a_rotation_that_was_missed_is_made_up(booted, start, stack, cloud, clock):
    """Days later it is still due; then again only after a whole period."""
    clock.advance(10 * booted.times.rotation_period)
    assert start().finish() == "Rotated"
    activated = active_key(at_rest(stack, cloud).keyset).activated
    assert activated
    clock.wall = activated + timedelta(seconds=booted.times.rotation_period - 1)
    assert start().finish() == "NotDue"
    clock.advance(1)
    assert start().finish() == "Rotated"


def test_an_operator_rotates_before_it_is_due(booted, start, cloud, stack):
    """With the active kid to supersede a rotation is due at once; it keeps every wait."""
    old = active_key(truth(cloud))
    run = start(supersede=old.kid)
    assert run.finish() == "Rotated"
    assert run.data["plan"]["reason"] == "operator_asked"
    generation = at_rest(stack, cloud)
    assert [key.kid for key in generation.keyset.ended] == [old.kid]
    active = active_key(generation.keyset)
    assert active.activated
    assert active.published
    assert active.activated > active.published + timedelta(seconds=10)


@pytest.mark.parametrize("when", ["not due", "due"])
def test_an_operators_second_request_does_nothing(booted, start, cloud, clock, when):
    """A kid that is not active any more is not superseded again, though a rotation may be due."""
    old = active_key(truth(cloud))
    start(supersede=old.kid).finish()
    if when == "due":
        clock.advance(booted.times.rotation_period)
    before = cloud.snapshot()
    again = start(supersede=old.kid)
    assert again.finish() == "NotDue"
    assert again.data["plan"]["reason"] == "superseded_already"
    assert cloud.snapshot() == before


def test_waking_early_goes_back_to_the_wait(booted, start, cloud, stack):
    """Neither activation nor retirement happens early, however often the waits are cut short."""
    run = start(supersede=active_key(truth(cloud)).kid)
    run.naps = 3
    run.until("CreateKeyAfterActivate")
    active = active_key(truth(cloud))
    assert active.activated
    assert active.published
    assert active.activated > timing.may_sign_after(active.published, booted.times)
    assert run.outcomes.count(("activate_key", "too_early")) == 3
    run.naps = 2
    assert run.finish() == "Rotated"
    assert run.outcomes.count(("retire_key", "too_early")) == 2
    at_rest(stack, cloud)


@pytest.mark.parametrize("state", ["ProbeKey", "ActivateKey"])
def test_a_standby_that_is_revoked_is_replaced(due, start, cloud, stack, state):
    """The rotation stays due: the run plans again, with another standby and its own wait."""
    standby, old = standby_key(truth(cloud)), active_key(truth(cloud))
    run = start().until(state)
    change(stack, revoke, [standby.kid], times=due.times, limits=due.limits)
    due.kms.destroy(standby.kms_key_arn, window=7)
    assert run.finish() == "Rotated"
    assert run.visited.count("PlanRotation") == 2
    keyset = at_rest(stack, cloud).keyset
    assert {key.kid for key in keyset.ended} == {standby.kid, old.kid}
    active = active_key(keyset)
    assert active.activated
    assert active.published
    assert active.activated > timing.may_sign_after(active.published, due.times)


@pytest.mark.parametrize("state", ["PublishJwks", "ProbeKey", "ActivateKey"])
def test_a_run_whose_work_is_done_ends_overtaken(due, start, cloud, stack, state):
    """When the active key was replaced meanwhile nothing is due any more: green, and no damage."""
    old = active_key(truth(cloud))
    run = start().until(state)
    change(stack, revoke, [old.kid], times=due.times, limits=due.limits)
    rescued = due.keysets.read()
    assert run.finish() == "Overtaken"
    assert due.keysets.read() == rescued


def test_a_rolled_back_key_is_not_retired(due, start, cloud, stack):
    """The superseded key signs again: the waiting run finds nothing to retire, and nothing due."""
    old, standby = active_key(truth(cloud)), standby_key(truth(cloud))
    run = start().until("WaitForGrace")
    rolled_back = change(stack, roll_back, old.kid, supersede=standby.kid, times=due.times)
    assert active_key(rolled_back.keyset).kid == old.kid
    assert run.finish() == "Overtaken"
    assert run.outcomes[-2:] == [("retire_key", "overtaken"), ("plan_rotation", "overtaken")]
    assert due.keysets.read() == rolled_back
