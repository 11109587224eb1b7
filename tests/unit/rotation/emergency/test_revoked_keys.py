"""Which keys an emergency revokes: all of them, some, unknown ones, ended ones, the same ones again."""

import pytest

from keyturn.api.answers import Unavailable
from keyturn.keyset.states import State
from keyturn.rotation.conclude_emergency import EmergencyIncomplete
from tests.unit.rotation.emergency.paths import EMERGENCY
from tests.unit.rotation.stage import (
    api,
    assert_recovered,
    generations_written_by,
    start_emergency,
)
from tests.unit.stage import active_kid, standby_kid, truth

UNKNOWN = "u" * 43


def test_all_keys_are_revoked(due, start, cloud, stack, aws):
    """No key signs between the revocation and the replacement, and then a new one does."""
    rotation = start().until("WaitForGrace")
    kids = [key.kid for key in truth(cloud).keys]
    assert len(kids) == 3
    token = api(stack).issue()
    aws.reset()
    emergency = start_emergency(start, *kids).until("ReplaceKeys")
    assert truth(cloud).keys == ()
    with pytest.raises(Unavailable):
        api(stack).issue()
    assert set(stack.well_known.read().keys) == set()
    assert api(stack).check(token) == "key_revoked"
    assert "kms:CreateKey" not in aws.operations
    emergency.until("PublishJwksAfterReplace")
    assert api(stack).check(api(stack).issue()) == "ok"
    assert aws.operations.count("kms:CreateKey") == 2
    assert emergency.finish() == "Revoked"
    assert rotation.finish() == "Overtaken"
    assert not {key.kid for key in assert_recovered(stack, cloud, *kids).keys} & set(kids)


def test_the_revocation_is_the_first_write(booted, start, cloud, stack):
    """All kids are revoked in one generation, before anything is created (L2)."""
    kids = active_kid(cloud), standby_kid(cloud)
    number = stack.keysets.read().number
    emergency = start_emergency(start, *kids, *kids)
    assert emergency.finish() == "Revoked"
    first, second = generations_written_by(stack, emergency)[:2]
    assert first.number == number + 1
    assert {first.keyset.get(kid).state for kid in kids} == {State.REVOKED}
    assert first.keyset.keys == ()
    assert [key.state for key in second.keyset.keys] == [State.STANDBY]
    assert (first.started_by, first.reason) == ("tests", "key leaked")


@pytest.mark.parametrize("state", ["active", "standby"])
def test_the_same_emergency_again(booted, start, stack, cloud, state):
    """A repeated request changes nothing, least of all the key that has become active since."""
    kid = getattr(truth(cloud), state).kid
    assert start_emergency(start, kid).finish() == "Revoked"
    assert_recovered(stack, cloud, kid)
    before = cloud.snapshot()
    again = start_emergency(start, kid)
    assert again.finish() == "Revoked"
    assert again.visited == EMERGENCY
    assert cloud.snapshot() == before


def test_a_revoked_key_among_others(booted, start, cloud):
    """A kid that was revoked earlier is skipped, and is not reported as unknown."""
    first, second = active_kid(cloud), standby_kid(cloud)
    assert start_emergency(start, first).finish() == "Revoked"
    both = start_emergency(start, first, second)
    assert both.finish() == "Revoked"
    assert {truth(cloud).get(kid).state for kid in (first, second)} == {State.REVOKED}
    assert both.data["revocation"]["unknown"] == []


def test_a_retired_key(due, start, cloud):
    """A retired key verifies nothing: the execution succeeds and the key stays retired."""
    old = active_kid(cloud)
    start().finish()
    before = cloud.snapshot()
    assert start_emergency(start, old).finish() == "Revoked"
    assert truth(cloud).get(old).state is State.RETIRED
    assert cloud.snapshot() == before


def test_an_unknown_kid_among_known_ones(booted, start, cloud, stack):
    """An unknown kid holds nothing up; the execution fails at its very end and names it."""
    active, standby = active_kid(cloud), standby_kid(cloud)
    emergency = start_emergency(start, UNKNOWN, active)
    assert emergency.finish() == "failed"
    assert emergency.visited == EMERGENCY[:-1]
    assert isinstance(emergency.error, EmergencyIncomplete)
    assert str(emergency.error) == f"key {UNKNOWN} is unknown"
    assert_recovered(stack, cloud, active)
    assert active_kid(cloud) == standby


def test_only_an_unknown_kid(booted, start, cloud):
    """Nothing changes, and the execution fails."""
    before = cloud.snapshot()
    emergency = start_emergency(start, UNKNOWN)
    assert emergency.finish() == "failed"
    assert str(emergency.error) == f"key {UNKNOWN} is unknown"
    assert cloud.snapshot() == before
