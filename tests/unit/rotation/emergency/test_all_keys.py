"""Every key at once, kids that are unknown, inputs that are not understood."""

import pytest

from keyturn.api.answers import Unavailable
from keyturn.aws.events import InvalidEvent
from keyturn.keyset.states import State
from keyturn.rotation.conclude_emergency import EmergencyIncomplete
from tests.unit.rotation.emergency.paths import EMERGENCY
from tests.unit.rotation.stage import api, emergency, settled
from tests.unit.stage import active_key, standby_key, truth

UNKNOWN = "u" * 43


def test_all_keys_are_revoked(due, start, cloud, stack, aws):
    """Nobody signs between the revocation and the replacement, and then a new key does."""
    rotation = start().until("WaitForGrace")
    kids = [key.kid for key in truth(cloud).keys]
    assert len(kids) == 3
    token = api(stack).issue()
    aws.reset()
    alarm = emergency(start, *kids).until("RevokeKeys")
    assert api(stack).issue()
    for state in ("DisableKeys", "PublishJwksAfterRevoke", "ReplaceKeys"):
        alarm.until(state)
        assert truth(cloud).keys == ()
        with pytest.raises(Unavailable):
            api(stack).issue()
    assert set(stack.well_known.read().keys) == set()
    assert api(stack).check(token) == "key_revoked"
    assert "kms:CreateKey" not in aws.operations
    alarm.until("PublishJwksAfterReplace")
    fresh = api(stack).issue()
    assert aws.operations.count("kms:CreateKey") == 2
    assert api(stack).check(fresh) == "ok"
    assert alarm.finish() == "Revoked"
    assert rotation.finish() == "Overtaken"
    assert not {key.kid for key in settled(stack, cloud, *kids).keys} & set(kids)


def test_an_unknown_kid_among_known_ones(booted, start, cloud, stack):
    """It holds nothing up, and the execution fails at its very end, naming it alone."""
    active, standby = active_key(truth(cloud)).kid, standby_key(truth(cloud)).kid
    alarm = emergency(start, UNKNOWN, active)
    assert alarm.finish() == "failed"
    assert alarm.visited == EMERGENCY[:-1]
    assert isinstance(alarm.error, EmergencyIncomplete)
    assert str(alarm.error) == f"key {UNKNOWN} is unknown"
    assert settled(stack, cloud, active).active.kid == standby


def test_only_an_unknown_kid(booted, start, cloud):
    """Nothing is changed, and the operator is told."""
    before = cloud.snapshot()
    alarm = emergency(start, UNKNOWN)
    assert alarm.finish() == "failed"
    assert UNKNOWN in str(alarm.error)
    assert cloud.snapshot() == before


def test_a_kid_that_was_revoked_already(booted, start, cloud):
    """Among others it is passed over, and nobody calls it unknown."""
    first, second = active_key(truth(cloud)).kid, standby_key(truth(cloud)).kid
    assert emergency(start, first).finish() == "Revoked"
    both = emergency(start, first, second)
    assert both.finish() == "Revoked"
    assert {truth(cloud).get(kid).state for kid in (first, second)} == {State.REVOKED}
    assert both.data["revocation"]["unknown"] == []


def test_a_retired_key(due, start, cloud):
    """It verifies nothing any more: green, and it stays what it is."""
    old = active_key(truth(cloud)).kid
    start().finish()
    before = cloud.snapshot()
    assert emergency(start, old).finish() == "Revoked"
    assert truth(cloud).get(old).state is State.RETIRED
    assert cloud.snapshot() == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kids": []}, "kids"),
        ({"kids": ["active"]}, "kids.0"),
        ({"kids": [UNKNOWN, "standby"]}, "kids.1"),
        ({"kids": UNKNOWN}, "kids"),
        ({"kids": None}, "kids"),
        ({"kids": [UNKNOWN] * 13}, "kids"),
        ({"reason": ""}, "reason"),
        ({"reason": None}, "reason"),
        ({"reason": "r" * 257}, "reason"),
        ({"started_by": ""}, "started_by"),
        ({"supersede": UNKNOWN}, "supersede"),
        ({"kid": UNKNOWN}, "kid"),
    ],
)
def test_an_input_that_is_not_understood(booted, start, aws, cloud, changes, field):
    """It is refused by the field's name before anything is read or written."""
    before = cloud.snapshot()
    run = start("emergency", **{"kids": [UNKNOWN], "reason": "key leaked", **changes})
    assert run.finish() == "failed"
    assert run.visited == ["KeepRequest", "PlanRotation"]
    assert isinstance(run.error, InvalidEvent)
    assert str(run.error).startswith(f"{field}: ")
    assert aws.operations == []
    assert cloud.snapshot() == before


def test_an_input_without_kids_or_reason(booted, start, cloud):
    """Both have to be said."""
    before = cloud.snapshot()
    for missing, given in (("kids", {"reason": "key leaked"}), ("reason", {"kids": [UNKNOWN]})):
        run = start("emergency", **given)
        assert run.finish() == "failed"
        assert str(run.error).startswith(f"{missing}: ")
    assert cloud.snapshot() == before
