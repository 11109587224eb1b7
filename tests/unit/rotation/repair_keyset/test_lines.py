"""Generations above a deleted one: they count again, or the keyset continues above them."""

import pytest

from keyturn.keyset import document
from keyturn.keyset.states import State
from keyturn.rotation import put_back, reconcile
from keyturn.rotation.record_changes import record_changes
from tests.unit.changes import revoke_keys
from tests.unit.rotation.repair_keyset.damage import lose, put, revoke_active, revoke_standby
from tests.unit.stage import active_kid, invoke, standby_kid, truth


def test_a_generation_above_a_placeholder_counts_again(booted, cloud):
    """Its parent is the placeholder, so the recorded generation of that number is a lost branch."""
    first = revoke_standby(booted, cloud)
    record_changes(booted)
    number = booted.keysets.read().number
    lose(cloud, number)
    put(cloud, number, "restored above")
    second = revoke_active(booted, cloud)
    assert booted.keysets.read().number == number + 1
    lose(cloud, number)
    invoke(reconcile, {})
    assert [truth(cloud).get(kid).state for kid in (first, second)] == [State.REVOKED] * 2


def test_of_two_candidates_the_parent_is_restored(booted, cloud):
    """Although the other object is older: its child may not be recorded yet."""
    standby, active = standby_kid(cloud), active_kid(cloud)
    numbers = []
    for kid in (standby, active):
        revoke_keys(booted, kid)
        record_changes(booted)
        numbers.append(booted.keysets.read().number)
        if kid == standby:
            lose(cloud, numbers[0])
    assert numbers[0] == numbers[1]
    history, right = booted.history.generations(), booted.keysets.read()
    history.sort(key=lambda one: one.digest == document.digest(right.text))
    revoke_keys(booted, standby)
    lose(cloud, right.number)
    parameters = booted.keysets.list_parameters()
    missing, _ = put_back.missing_generations(booted, parameters, history)
    assert [one.text for one in missing] == [right.text]


@pytest.fixture
def orphan(booted, cloud):
    """A generation whose parent was deleted before it was recorded."""
    record_changes(booted)
    for kid in [key.kid for key in truth(cloud).keys]:
        revoke_keys(booted, kid)
    orphan = booted.keysets.read()
    lose(cloud, orphan.number - 1)
    return orphan


def test_the_keyset_continues_above_an_orphan(orphan, booted):
    """Otherwise a reader that has the orphan would take it for the newest for ever."""
    assert booted.keysets.read().number < orphan.number - 1
    number = invoke(reconcile, {})["step_over_unlawful_generations"]
    assert number == booted.keysets.read().number == orphan.number + 1
    assert "step_over_unlawful_generations" not in invoke(reconcile, {})


def test_no_name_is_taken_that_a_restored_generation_needs(booted, aws, cloud):
    """If the restoration fails, nothing is stepped over."""
    for kid in [key.kid for key in truth(cloud).keys]:
        revoke_keys(booted, kid)
        record_changes(booted)
    newest = booted.keysets.read()
    lose(cloud, newest.number - 1)
    aws.fail("s3:ListObjectsV2", aws.error("SlowDown", 503), times=1)
    with pytest.raises(reconcile.RepairFailed, match="restore_generations"):
        invoke(reconcile, {})
    invoke(reconcile, {})
    assert newest.text in [one.text for one in booted.keysets.read_generations()]
