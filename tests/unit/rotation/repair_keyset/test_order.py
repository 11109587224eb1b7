"""RepairKeyset: the order of its effects, and concurrent writers."""

from dataclasses import replace

import pytest

from keyturn.aws.faults import Conflict
from keyturn.rotation import repair_keyset
from keyturn.rotation.record_changes import record_changes
from keyturn.rotation.repair_keyset import Condition
from tests.unit.changes import revoke_keys
from tests.unit.rotation.repair_keyset.damage import diagnose_and_repair, show
from tests.unit.stage import truth


@pytest.fixture
def lost(booted, cloud):
    """Only the JWKS knows of the generations up to 5."""
    record_changes(booted)
    show(cloud, 5, [key.kid for key in truth(cloud).keys])


def test_a_number_that_was_taken_meanwhile_stops_the_repair(booted, lost, cloud, origin):
    """The next diagnosis starts from the new keyset."""
    diagnosis = repair_keyset.diagnose(booted)
    for key in truth(cloud).keys:
        revoke_keys(booted, key.kid)
    with pytest.raises(Conflict):
        booted.keysets.put_back(3, "restored above")
    after = repair_keyset.diagnose(booted)
    assert after.source
    assert diagnosis.source
    assert after.source.number == 4 > diagnosis.source.number


def test_a_lost_reply_is_no_conflict(booted, lost, origin, aws):
    """The parameter is read back, and is our own."""
    diagnosis = repair_keyset.diagnose(booted)
    aws.fail("ssm:PutParameter", aws.timeout, after=True, times=9)
    repaired = repair_keyset.repair(booted, diagnosis, origin)
    assert repaired
    assert repaired.number == 6
    assert booted.keysets.read().number == 6


def test_numbers_that_a_reader_may_have_are_not_used_again(booted, lost, origin, container):
    """Placeholders take them, so that the restored generation has a higher number."""
    warm = container()
    held = warm.view.get()
    assert diagnose_and_repair(booted, origin).number == 6
    assert sorted(booted.keysets.read_texts()) == [1, 2, 3, 4, 5, 6]
    warm.clock.advance(warm.times.view_ttl + 1)
    assert (held.number, warm.view.get_fresh().number) == (2, 6)


def test_a_stale_listing_is_no_deletion(booted, monkeypatch):
    """SSM's reads are only eventually consistent, so the diagnosis reads twice."""
    list_parameters = booted.keysets.list_parameters
    stale = iter([list_parameters()[:1]])
    monkeypatch.setattr(
        booted.keysets, "list_parameters", lambda: next(stale, None) or list_parameters()
    )
    before = sum(booted.clock.slept)
    assert repair_keyset.diagnose(booted).condition is Condition.SOUND
    assert sum(booted.clock.slept) - before >= 2


def test_a_long_name_is_truncated(booted, lost, origin):
    """A repair never fails because the name of its operator does not fit."""
    long = replace(origin, started_by="x" * 4000)
    repair_keyset.repair(booted, repair_keyset.diagnose(booted), long)
    assert booted.keysets.read().started_by.startswith("x" * 190)
