"""RepairKeyset: the order of its effects, and what happens beside it."""

from dataclasses import replace

import pytest

from keyturn.aws.faults import Conflict
from keyturn.keyset import document
from keyturn.keyset.states import State
from keyturn.keyset.transitions import revoke
from keyturn.rotation import repair_keyset
from keyturn.rotation.record_changes import record_changes
from keyturn.rotation.repair_keyset import Condition


def test_a_revocation_that_was_under_way_stays(booted, lose, put, origin, truth):
    """Its writer saw the keyset before the repair, and it was acknowledged."""
    record_changes(booted)
    good = booted.keysets.read()
    kid = good.keyset.standby.kid
    lose(2)
    repair_keyset.repair(booted, repair_keyset.diagnose(booted), origin)
    times, limits = booted.times, booted.limits
    late = revoke(good.keyset, [kid], booted.clock.now(), times=times, limits=limits)
    put(2, document.dumps(replace(good, keyset=late)))
    before = sum(booted.clock.slept)
    repair_keyset.revoke_what_ended_meanwhile(booted, origin)
    assert sum(booted.clock.slept) - before >= times.write_delay
    assert truth().find(kid).state is State.REVOKED


def test_a_number_that_is_taken_meanwhile_stops_the_repair(booted, put, origin):
    """Nothing is deleted; the next diagnosis starts from what stands then."""
    text = document.dumps(booted.keysets.read())
    put(3, "{")
    diagnosis = repair_keyset.diagnose(booted)
    put(4, text.replace('"generation":2', '"generation":4'))
    with pytest.raises(Conflict):
        repair_keyset.repair(booted, diagnosis, origin)
    assert sorted(booted.keysets.stored()) == [1, 2, 3, 4]


def test_a_lost_reply_is_no_conflict(booted, put, origin, aws):
    """The generation is read back: it is ours."""
    put(3, "{")
    diagnosis = repair_keyset.diagnose(booted)
    aws.fail("ssm:PutParameter", aws.timeout, after=True)
    assert repair_keyset.repair(booted, diagnosis, origin).generation.number == 4
    assert sorted(booted.keysets.stored()) == [1, 2, 4]


def test_nothing_is_deleted_before_its_successor_counts(booted, put, origin, aws):
    """The text is kept first, then the keyset restored, then the parameter deleted."""
    put(3, "{")
    diagnosis = repair_keyset.diagnose(booted)
    aws.reset()
    repair_keyset.repair(booted, diagnosis, origin)
    assert aws.operations == ["s3:PutObject", "ssm:PutParameter", "ssm:DeleteParameters"]


def test_a_listing_from_the_past_is_no_deletion(booted, monkeypatch):
    """SSM promises no consistent reads: what seems deleted is looked at again."""
    stored, lags = booted.keysets.stored, iter([True])
    past = {1: stored()[1]}
    monkeypatch.setattr(booted.keysets, "stored", lambda: past if next(lags, False) else stored())
    before = sum(booted.clock.slept)
    assert repair_keyset.diagnose(booted).condition is Condition.SOUND
    assert sum(booted.clock.slept) - before >= 2


def test_who_repairs_is_cut_short_for_want_of_room(booted, put, origin):
    """A repair is never refused because of a long name."""
    put(3, "{")
    long = replace(origin, started_by="x" * 4000)
    repair_keyset.repair(booted, repair_keyset.diagnose(booted), long)
    assert booted.keysets.read().started_by.startswith("x" * 190)
