"""An emergency at every state of a scheduled rotation: both end well, whatever is revoked."""

import pytest

from keyturn.keyset.states import State
from tests.definition import STATES
from tests.unit.rotation.emergency.paths import EMERGENCY, GREEN, ROTATION, stops
from tests.unit.rotation.execution import turns
from tests.unit.rotation.stage import api, emergency, settled, writes_of
from tests.unit.stage import active_key, standby_key, truth

EVERYWHERE = stops(ROTATION)
WITHOUT_STANDBY = "CreateKeyAfterActivate"
everywhere = pytest.mark.parametrize("position", EVERYWHERE)


def states_with(other, positions):
    """A standby, where there is one, or a key of the other state, at these states."""
    cases = [("standby", at) for at in positions if at != WITHOUT_STANDBY]
    cases += [(other, at) for at in positions]
    return pytest.mark.parametrize(("state", "position"), cases)


def index(position):
    """How far the rotation has come."""
    return EVERYWHERE.index(position)


def test_the_path_is_complete(due, start):
    """The positions of this module are what the definition has a rotation go through."""
    run = start()
    assert run.finish() == "Rotated"
    assert run.visited == ROTATION
    assert set(ROTATION) <= set(STATES)


@everywhere
def test_the_active_key_is_revoked(due, start, cloud, stack, position):
    """It is out at once and for good, others' tokens live on, and the scheduled run ends green."""
    old_token, warm = api(stack).issue(), api(stack)
    old = active_key(truth(cloud)).kid
    run = start().until(position)
    revoked, standby = active_key(truth(cloud)).kid, truth(cloud).standby
    token = api(stack).issue()
    assert warm.check(token) == "ok"
    alarm = emergency(start, revoked).until("DisableKeys")
    first = writes_of(stack, alarm)[0]
    assert first.keyset.get(revoked).state is State.REVOKED
    assert first.keyset.active == truth(cloud).active
    assert not standby or first.keyset.active.kid == standby.kid  # in the same write
    assert api(stack).check(token) == "key_revoked"
    assert alarm.finish() == "Revoked"
    assert warm.check(token) == "key_revoked"  # C + ε later
    if index("ActivateKey") < index(position) < index("RetireKey"):  # the first key is in grace
        assert api(stack).check(old_token) == "ok"
    new_token = api(stack).issue()
    assert api(stack).check(new_token) == "ok"
    if not run.ended:
        assert run.finish() in ({"NotDue", "Overtaken"} if revoked == old else GREEN)
    keyset = settled(stack, cloud, revoked)
    assert not [key for key in keyset.grace if key.kid not in (old, revoked)]


@states_with("grace", EVERYWHERE)
def test_a_key_that_does_not_sign_is_revoked(due, start, cloud, stack, clock, position, state):
    """The key that signs goes on signing, and a rotation that is due is made all the same."""
    if state == "grace":  # an operator's rotation just before: its superseded key is in grace
        asked = start(supersede=active_key(truth(cloud)).kid).until("WaitForGrace")
        run, gone = start(supersede=active_key(truth(cloud)).kid), asked.data["plan"]["supersede"]
        clock.advance((due.times.propagation + due.times.write_delay + due.times.clock_skew) + 1)
    else:
        asked, run = None, start()
    first = active_key(truth(cloud)).kid
    run.until(position)
    gone = standby_key(truth(cloud)).kid if state == "standby" else gone
    ended = truth(cloud).get(gone).state.value == "retired"
    signs, token = active_key(truth(cloud)).kid, api(stack).issue()
    assert emergency(start, gone).finish() == "Revoked"
    assert active_key(truth(cloud)).kid == signs
    assert api(stack).check(token) == "ok"
    for other in (run, asked):
        if other and not other.ended:
            assert other.finish() in GREEN
    keyset = settled(stack, cloud, *([] if ended else [gone]))
    assert keyset.active.kid not in (first, gone)
    assert first in {key.kid for key in keyset.ended}
    assert keyset.grace == ()


def test_a_rotations_own_superseded_key_is_revoked(due, start, stack, cloud):
    """Nothing is left to retire: the run wakes, finds it revoked, and ends green."""
    run = start().until("WaitForGrace")
    gone = run.data["plan"]["supersede"]
    active = active_key(truth(cloud)).kid
    assert emergency(start, gone).finish() == "Revoked"
    assert run.finish() == "Overtaken"
    assert settled(stack, cloud, gone).active.kid == active


@pytest.mark.parametrize("position", stops(EMERGENCY))
@pytest.mark.parametrize("state", ["active", "standby"])
def test_a_rotation_between_two_steps_of_an_emergency(due, start, cloud, stack, position, state):
    """A rotation that starts in the middle of an emergency, or that an emergency waits for."""
    gone = getattr(truth(cloud), state).kid
    alarm, run = emergency(start, gone).until(position), start()
    assert run.until("WaitForPropagation", "WaitForGrace").ended in {None, *GREEN}
    turns(alarm, run)
    assert (alarm.ended, run.ended in GREEN) == ("Revoked", True)
    assert alarm.visited == EMERGENCY
    settled(stack, cloud, gone)


@states_with("active", EVERYWHERE[:-1])
def test_an_emergency_and_a_rotation_by_turns(due, start, cloud, stack, position, state):
    """From any step of the rotation on, one state of each in turn."""
    run = start().until(position)
    gone = getattr(truth(cloud), state).kid
    alarm = emergency(start, gone)
    turns(alarm, run)
    assert (alarm.ended, run.ended in GREEN) == ("Revoked", True)
    settled(stack, cloud, gone)
