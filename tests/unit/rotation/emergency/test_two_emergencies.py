"""Two emergencies at once, and the same one twice: each does what is left to do."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from keyturn.aws.keyset.store import KeysetStore
from keyturn.keyset.states import State
from tests.cloud.ssm import SsmClient
from tests.cloud.wire import DirectWire
from tests.unit.rotation.emergency.paths import EMERGENCY, stops
from tests.unit.rotation.execution import turns
from tests.unit.rotation.stage import emergency, settled, writes_of
from tests.unit.stage import active_key, standby_key, truth

positions = pytest.mark.parametrize("position", stops(EMERGENCY))


@pytest.fixture
def kids(booted, cloud):
    """The active key's kid and the standby's."""
    return active_key(truth(cloud)).kid, standby_key(truth(cloud)).kid


@positions
def test_two_on_the_same_key(kids, start, stack, cloud, position):
    """Only one of them revokes; both end green, and there is one replacement."""
    active, standby = kids
    first = emergency(start, active).until(position)
    second = emergency(start, active)
    assert second.finish() == "Revoked"
    assert first.finish() == "Revoked"
    keyset = settled(stack, cloud, active)
    assert keyset.active.kid == standby
    written = [g for run in (first, second) for g in writes_of(stack, run)]
    assert len([g for g in written if not g.keyset.standby]) == 1  # only the revocation itself


@positions
@pytest.mark.parametrize("order", ["active first", "standby first"])
def test_two_on_different_keys(kids, start, stack, cloud, position, order):
    """Both are revoked, a new key signs, another one stands by, and no more are made."""
    ordered = kids if order == "active first" else kids[::-1]
    first = emergency(start, ordered[0]).until(position)
    second = emergency(start, ordered[1])
    assert second.finish() == "Revoked"
    assert first.finish() == "Revoked"
    keyset = settled(stack, cloud, *kids)
    assert not {keyset.active.kid, keyset.standby.kid} & set(kids)


@pytest.mark.parametrize("runs", [(0, 0), (0, 1), (1, 0)], ids=["same", "different", "reversed"])
def test_two_by_turns(kids, start, stack, cloud, runs):
    """One state of each in turn, without anything left over in KMS."""
    alarms = [emergency(start, kids[which]) for which in runs]
    turns(*alarms)
    assert [alarm.ended for alarm in alarms] == ["Revoked", "Revoked"]
    settled(stack, cloud, *{kids[which] for which in runs})


def test_an_emergency_names_what_a_second_one_raised(kids, start, stack, cloud):
    """The standby that an emergency has just activated is revoked by the next as the active key."""
    active, standby = kids
    first = emergency(start, active).until("ReplaceKeys")
    assert active_key(truth(cloud)).kid == standby
    second = emergency(start, standby).until("ReplaceKeys")
    assert truth(cloud).active is None
    turns(second, first)
    assert (first.ended, second.ended) == ("Revoked", "Revoked")
    settled(stack, cloud, active, standby)


@pytest.mark.parametrize("which", [0, 1], ids=["active", "standby"])
def test_the_same_emergency_again(kids, start, stack, cloud, which):
    """A repeated input changes nothing at all, least of all the key that was activated since."""
    gone = kids[which]
    assert emergency(start, gone).finish() == "Revoked"
    settled(stack, cloud, gone)
    before = cloud.snapshot()
    again = emergency(start, gone)
    assert again.finish() == "Revoked"
    assert again.visited == EMERGENCY
    assert cloud.snapshot() == before
    assert writes_of(stack, again) == []


def test_the_revocation_is_the_first_write(kids, start, cloud, stack):
    """L2: whatever the execution writes, its revocation comes first; one write for all kids."""
    number = stack.keysets.read().number
    alarm = emergency(start, *kids, *kids)
    assert alarm.finish() == "Revoked"
    first, second = writes_of(stack, alarm)[:2]
    assert first.number == number + 1
    assert {first.keyset.get(kid).state for kid in kids} == {State.REVOKED}
    assert [key.kid for key in first.keyset.keys] == []
    assert [key.state for key in second.keyset.keys] == [State.STANDBY]
    assert (first.started_by, first.reason) == ("tests", "key leaked")


def test_a_revocation_meets_other_writers(kids, start, stack, aws, cloud, origin):
    """L2: it costs one more attempt for each of the writers that were faster."""
    first = stack.keysets.read().number
    unseen = DirectWire()
    unseen.instant = float("inf")
    ssm: Any = SsmClient(cloud.ssm, unseen, retries=False)
    others = KeysetStore("demo", stack.clock, ssm, ssm)

    def touched(keyset, now):
        horizon = keyset.horizon or now.replace(microsecond=0) - timedelta(days=1)
        return replace(keyset, horizon=horizon + timedelta(seconds=1))

    alarm = emergency(start, kids[0]).until("RevokeKeys")
    aws.meanwhile("ssm:PutParameter", lambda: others.update(touched, origin), times=3)
    alarm.until("DisableKeys")
    assert alarm.data["revocation"]["generation"] == first + 4
    assert aws.operations.count("ssm:PutParameter") == 4
    assert alarm.finish() == "Revoked"
    settled(stack, cloud, kids[0])
