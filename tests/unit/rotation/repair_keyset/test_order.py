"""RepairKeyset: the order of its effects, and what happens beside it."""

from dataclasses import replace

import pytest

from keyturn.aws.faults import Conflict
from keyturn.rotation import repair_keyset
from keyturn.rotation.record_changes import record_changes
from keyturn.rotation.repair_keyset import Condition
from tests.unit.rotation.repair_keyset.damage import repaired, revoked, show
from tests.unit.stage import truth


@pytest.fixture
def lost(booted, cloud):
    """Only the JWKS knows of the generations up to 5."""
    record_changes(booted)
    show(cloud, 5, [key.kid for key in truth(cloud).keys])


def test_a_number_that_is_taken_meanwhile_stops_the_repair(booted, lost, stack, cloud, origin):
    """The next diagnosis starts from what stands then."""
    diagnosis = repair_keyset.diagnose(booted)
    for key in truth(cloud).keys:
        revoked(booted, stack, key.kid)
    put_back = booted.keysets.put_back
    with pytest.raises(Conflict):
        put_back(3, "restored above")
    after = repair_keyset.diagnose(booted)
    assert after.source
    assert diagnosis.source
    assert after.source.number == 4 > diagnosis.source.number


def test_a_lost_reply_is_no_conflict(booted, lost, origin, aws):
    """The parameter is read back: it is ours."""
    diagnosis = repair_keyset.diagnose(booted)
    aws.fail("ssm:PutParameter", aws.timeout, after=True, times=9)
    repaired = repair_keyset.repair(booted, diagnosis, origin)
    assert repaired
    assert repaired.number == 6
    assert booted.keysets.read().number == 6


def test_numbers_that_somebody_may_hold_are_not_used_again(booted, lost, origin, container):
    """They are taken by texts without a meaning, so that what is restored follows what counts."""
    warm = container()
    held = warm.view.get()
    assert repaired(booted, origin).number == 6
    assert sorted(booted.keysets.read_texts()) == [1, 2, 3, 4, 5, 6]
    warm.clock.advance(warm.times.view_ttl + 1)
    assert (held.number, warm.view.get_fresh().number) == (2, 6)


def test_a_listing_from_the_past_is_no_deletion(booted, monkeypatch):
    """SSM promises no consistent reads: what seems deleted is looked at again."""
    parameters, lags = booted.keysets.list_parameters, iter([True])
    past = parameters()[:1]
    monkeypatch.setattr(
        booted.keysets, "list_parameters", lambda: past if next(lags, False) else parameters()
    )
    before = sum(booted.clock.slept)
    assert repair_keyset.diagnose(booted).condition is Condition.SOUND
    assert sum(booted.clock.slept) - before >= 2


def test_who_repairs_is_cut_short_for_want_of_room(booted, lost, origin):
    """A repair is never refused because of a long name."""
    long = replace(origin, started_by="x" * 4000)
    repair_keyset.repair(booted, repair_keyset.diagnose(booted), long)
    assert booted.keysets.read().started_by.startswith("x" * 190)
