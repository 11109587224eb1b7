"""Whole rotations: the real definition, the real handlers, and the tests' clock."""

from datetime import timedelta

import pytest

from keyturn.keyset import timing
from keyturn.keyset.states import State
from tests.unit.changes import revoke_keys
from tests.unit.rotation.emergency.paths import ROTATION
from tests.unit.rotation.stage import assert_at_rest, generations_written_by
from tests.unit.stage import active_key, active_kid, standby_key, truth


def test_the_first_rotation_of_all(founded, start, stack, cloud, clock):
    """A keyset without keys gets an active and a published standby key, without any wait."""
    run, started = start(started_by="cloudformation"), clock.now()
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
    assert clock.now() - started < timedelta(seconds=2)
    generation = assert_at_rest(stack, cloud)
    assert (generation.started_by, generation.keyset.ended) == ("cloudformation", ())


def test_a_scheduled_rotation(due, start, cloud, stack, clock):
    """The standby signs, the next one is published, and the old key goes when its grace is over."""
    old, standby = active_key(truth(cloud)), standby_key(truth(cloud))
    run, started = start(started_by="schedule"), clock.now()
    assert run.finish() == "Rotated"
    assert run.visited == ROTATION
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
    keyset = assert_at_rest(stack, cloud).keyset
    assert active_key(keyset).kid == standby.kid
    assert [(key.kid, key.state) for key in keyset.ended] == [(old.kid, State.RETIRED)]
    assert keyset.ended[0].ended > timing.verify_until(started, old.lifetime, due.times)
    plan = run.data["plan"]
    assert (plan["reason"], plan["supersede"]) == ("active_key_due", old.kid)
    generations = generations_written_by(stack, run)
    assert len(generations) == 4  # activated, registered, published, retired
    assert {(g.started_by, g.reason) for g in generations} == {("schedule", "active_key_due")}


@pytest.mark.parametrize("first", [True, False], ids=["first", "scheduled"])
def test_every_step_twice_changes_nothing_more(founded, start, stack, cloud, clock, first):
    """Each Task run a second time leaves the keyset, KMS and the bucket as they are."""
    if not first:
        start().finish()
        clock.advance(founded.times.rotation_period + 1)
    run = start()
    run.twice = True
    assert run.finish() == "Rotated"
    assert_at_rest(stack, cloud)


def test_a_duplicate_event_does_nothing(due, start, cloud):
    """Right after a rotation the next one is not due, and nothing changes."""
    start().finish()
    before = cloud.snapshot()
    again = start()
    assert again.finish() == "NotDue"
    assert again.outcomes == [("plan_rotation", "not_due")]
    assert cloud.snapshot() == before


def test_a_missed_rotation_is_made_up(booted, start, stack, cloud, clock):
    """It is still due days later; the next one is due only after a whole period."""
    clock.advance(10 * booted.times.rotation_period)
    assert start().finish() == "Rotated"
    activated = active_key(assert_at_rest(stack, cloud).keyset).activated
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
    generation = assert_at_rest(stack, cloud)
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
    run = start(supersede=active_kid(cloud))
    run.short_waits = 3
    run.until("CreateKeyAfterActivate")
    active = active_key(truth(cloud))
    assert active.activated
    assert active.published
    assert active.activated > timing.may_sign_after(active.published, booted.times)
    assert run.outcomes.count(("activate_key", "too_early")) == 3
    run.short_waits = 2
    assert run.finish() == "Rotated"
    assert run.outcomes.count(("retire_key", "too_early")) == 2
    assert_at_rest(stack, cloud)


@pytest.mark.parametrize("state", ["ProbeKey", "ActivateKey"])
def test_a_standby_that_is_revoked_is_replaced(due, start, cloud, stack, state):
    """The rotation stays due: the run plans again, with another standby and its own wait."""
    standby, old = standby_key(truth(cloud)), active_key(truth(cloud))
    run = start().until(state)
    revoke_keys(stack, standby.kid)
    due.kms.destroy(standby.kms_key_arn, window=7)
    assert run.finish() == "Rotated"
    assert run.visited.count("PlanRotation") == 2
    keyset = assert_at_rest(stack, cloud).keyset
    assert {key.kid for key in keyset.ended} == {standby.kid, old.kid}
    active = active_key(keyset)
    assert active.activated
    assert active.published
    assert active.activated > timing.may_sign_after(active.published, due.times)


@pytest.mark.parametrize("state", ["PublishJwks", "ProbeKey", "ActivateKey"])
def test_a_run_whose_work_is_done_ends_overtaken(due, start, cloud, stack, state):
    """If the active key was replaced meanwhile, nothing is due: the run ends without a change."""
    old = active_key(truth(cloud))
    run = start().until(state)
    revoke_keys(stack, old.kid)
    rescued = due.keysets.read()
    assert run.finish() == "Overtaken"
    assert due.keysets.read() == rescued
