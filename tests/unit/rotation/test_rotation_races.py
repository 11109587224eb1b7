"""Two executions of one rotation: whatever the order of their steps, one rotation comes of it."""

import pytest

from tests.unit.rotation.stage import at_rest
from tests.unit.stage import truth

POSITIONS = [
    "PlanRotation",
    "CreateKey",
    "PublishJwks",
    "WaitForPropagation",
    "ProbeKey",
    "ActivateKey",
    "CreateKeyAfterActivate",
    "PublishJwksAfterActivate",
    "WaitForGrace",
    "RetireKey",
    "PublishJwksAfterRetire",
    "DestroyKey",
]


def keys_made(cloud) -> int:
    """How many KMS keys there are, in any state."""
    return len(cloud.kms.keys)


@pytest.mark.parametrize("position", POSITIONS)
def test_a_second_execution_between_two_steps_of_the_first(due, start, cloud, stack, position):
    """The second runs until it waits, the first ends, the second goes on: one rotation is made."""
    old, standby = truth(cloud).active, truth(cloud).standby
    first = start().until(position)
    second = start().until("WaitForPropagation")
    assert first.finish() == "Rotated"
    assert second.finish() in ("NotDue", "Overtaken")
    keyset = at_rest(stack, cloud).keyset
    assert (keyset.active.kid, [key.kid for key in keyset.ended]) == (standby.kid, [old.kid])
    assert keys_made(cloud) == 3


@pytest.mark.parametrize("position", POSITIONS)
def test_the_first_execution_comes_back_after_the_second(due, start, cloud, stack, position):
    """A run that slept while another made the rotation does no damage when it wakes."""
    old, standby = truth(cloud).active, truth(cloud).standby
    first = start().until(position)
    assert start().finish() in ("Rotated", "NotDue")
    assert first.finish() in ("NotDue", "Overtaken", "Rotated")
    keyset = at_rest(stack, cloud).keyset
    assert (keyset.active.kid, [key.kid for key in keyset.ended]) == (standby.kid, [old.kid])
    assert keys_made(cloud) == 3


@pytest.mark.parametrize("position", POSITIONS[:8])
def test_two_first_rotations(founded, start, cloud, stack, position):
    """A schedule that fires while the stack boots makes no third live key."""
    first = start().until(position)
    second = start().until("CreateKeyAfterActivate")
    first.finish()
    second.finish()
    at_rest(stack, cloud)


@pytest.mark.parametrize("position", POSITIONS)
def test_a_zombie_wakes_a_period_later(due, start, cloud, stack, clock, position):
    """A run that resumes after the next rotation ends its own work at most, and starts none."""
    zombie = start().until(position)
    start().finish()
    clock.advance(due.times.rotation_period)
    start().finish()
    active, standby, made = truth(cloud).active, truth(cloud).standby, keys_made(cloud)
    assert zombie.finish() in ("NotDue", "Overtaken", "Rotated")
    assert (truth(cloud).active, truth(cloud).standby, keys_made(cloud)) == (active, standby, made)
    at_rest(stack, cloud)
