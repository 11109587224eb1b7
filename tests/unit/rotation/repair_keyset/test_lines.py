"""What stands above a deleted generation: it comes back to count, or nobody goes on from it."""

import pytest

from keyturn.keyset import document
from keyturn.keyset.states import State
from keyturn.rotation import put_back, reconcile
from keyturn.rotation.record_changes import record_changes
from tests.unit.rotation.repair_keyset.damage import lose, put, revoked
from tests.unit.stage import active_kid, invoke, standby_kid, truth


def test_a_generation_that_stands_above_a_free_name_goes_on_counting(booted, cloud, stack):
    """The name below was taken when it was written, so what the history has there is a lost branch."""
    first = revoked(booted, stack, standby_kid(cloud))
    record_changes(booted)
    number = booted.keysets.read().number
    lose(cloud, number)
    put(cloud, number, "restored above")
    second = revoked(booted, stack, active_kid(cloud))
    assert booted.keysets.read().number == number + 1
    lose(cloud, number)
    invoke(reconcile, {})
    assert [truth(cloud).get(kid).state for kid in (first, second)] == [State.REVOKED] * 2


def test_of_two_the_one_comes_back_that_something_stands_on(booted, cloud, stack):
    """Though the other object is older: what stands there may be on no record yet."""
    standby, active = standby_kid(cloud), active_kid(cloud)
    numbers = []
    for kid in (standby, active):
        revoked(booted, stack, kid)
        record_changes(booted)
        numbers.append(booted.keysets.read().number)
        if kid == standby:
            lose(cloud, numbers[0])
    assert numbers[0] == numbers[1]
    history, right = booted.history.generations(), booted.keysets.read()
    history.sort(key=lambda one: one.digest == document.digest(right.text))
    revoked(booted, stack, standby)
    lose(cloud, right.number)
    parameters = booted.keysets.list_parameters()
    missing, _ = put_back.missing_generations(booted, parameters, history)
    assert [one.text for one in missing] == [right.text]


@pytest.fixture
def orphan(booted, cloud, stack):
    """A generation that stands above one that was deleted before it was recorded."""
    record_changes(booted)
    for kid in [key.kid for key in truth(cloud).keys]:
        revoked(booted, stack, kid)
    orphan = booted.keysets.read()
    lose(cloud, orphan.number - 1)
    return orphan


def test_the_keyset_goes_on_above_what_a_reader_may_hold(orphan, booted):
    """So that nobody who holds it takes it for the newest for ever."""
    assert booted.keysets.read().number < orphan.number - 1
    number = invoke(reconcile, {})["step_over_unlawful_generations"]
    assert number == booted.keysets.read().number == orphan.number + 1
    assert "step_over_unlawful_generations" not in invoke(reconcile, {})


def test_no_name_is_taken_that_the_history_still_has_to_fill(booted, aws, cloud, stack):
    """Where the restoring fails, nothing is stepped over."""
    for kid in [key.kid for key in truth(cloud).keys]:
        revoked(booted, stack, kid)
        record_changes(booted)
    newest = booted.keysets.read()
    lose(cloud, newest.number - 1)
    aws.fail("s3:ListObjectsV2", aws.error("SlowDown", 503), times=1)
    with pytest.raises(reconcile.RepairFailed, match="restore_generations"):
        invoke(reconcile, {})
    invoke(reconcile, {})
    assert newest.text in [one.text for one in booted.keysets.read_generations()]
