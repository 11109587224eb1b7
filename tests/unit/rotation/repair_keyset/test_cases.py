"""RepairKeyset: which case it is, and what is restored under which number."""

from dataclasses import replace

import pytest

from keyturn.keyset import document
from keyturn.keyset.states import State
from keyturn.rotation import repair_keyset
from keyturn.rotation.record_changes import record_changes
from keyturn.rotation.repair_keyset import Condition
from tests.unit.rotation.repair_keyset.damage import lose, name, put, repaired, revoked
from tests.unit.stage import active_kid, standby_kid, truth


def test_a_sound_keyset_needs_no_repair(booted, cloud):
    """Diagnosing it writes nothing."""
    before = cloud.snapshot()
    diagnosis = repair_keyset.diagnose(booted)
    assert (diagnosis.condition, diagnosis.number) == (Condition.SOUND, None)
    assert cloud.snapshot() == before


@pytest.mark.parametrize("number", [1, 3, 999_999_999_999])
def test_what_does_not_count_needs_no_repair(booted, cloud, number):
    """Whoever put it there: it is ignored, and reconcile removes it."""
    if number != 1:
        cloud.ssm.put(name(number), "{")
    assert repair_keyset.diagnose(booted).condition is Condition.SOUND


def test_what_was_overwritten_comes_from_the_history(booted, cloud, origin, stack):
    """Where the history holds the very generation that is spoilt, nothing is lost."""
    kid = revoked(booted, stack, standby_kid(cloud))
    record_changes(booted)
    good = booted.keysets.read()
    put(cloud, good.number, "{")
    diagnosis = repaired(booted, origin)
    assert [one.number for one in diagnosis.missing] == [good.number]
    assert booted.keysets.read() == good
    assert truth(cloud).get(kid).state is State.REVOKED


def test_a_warm_reader_stays_where_it_is(booted, cloud, origin, container):
    """It holds the number that was spoilt, and never goes back; after the repair it goes on."""
    record_changes(booted)
    warm = container()
    held = warm.view.get()
    put(cloud, held.number, "{")
    warm.clock.advance(warm.times.view_ttl + 1)
    assert warm.view.get() == held
    repaired(booted, origin)
    warm.clock.advance(warm.times.view_ttl + 1)
    assert warm.view.get_fresh() == held


def test_a_newer_release_is_left_alone(booted, cloud):
    """That release can read it, and this one must not decide."""
    text = document.dumps(booted.keysets.read()).replace('"schema":1', '"schema":2')
    put(
        cloud,
        3,
        text.replace(booted.keysets.read().parent, document.digest(booted.keysets.read().text)),
    )
    before = cloud.snapshot()
    assert repair_keyset.diagnose(booted).condition is Condition.NEWER_RELEASE
    assert cloud.snapshot() == before


@pytest.mark.parametrize("lost", [(2,), (1, 2)], ids=["the newest", "all"])
def test_deleted_generations_come_back_from_the_history(booted, cloud, origin, lost):
    """As they were, the newest at least."""
    record_changes(booted)
    good = booted.keysets.read()
    lose(cloud, *lost)
    diagnosis = repaired(booted, origin)
    assert (diagnosis.condition, diagnosis.source, diagnosis.number) == (Condition.LOST, good, None)
    assert booted.keysets.read() == good


def test_a_gap_is_closed(booted, cloud, origin, stack):
    """What stands above it counts again; nothing new is written."""
    revoked(booted, stack, standby_kid(cloud))
    record_changes(booted)
    good = booted.keysets.read()
    lose(cloud, 2)
    assert booted.keysets.read().number == 1
    repaired(booted, origin)
    assert booted.keysets.read() == good


def test_the_name_of_what_was_stepped_over_is_taken_again(booted, cloud, origin, stack):
    """By a text without a meaning: what was written above it counts again."""
    put(cloud, 3, "{")
    revoked(booted, stack, standby_kid(cloud))
    good = booted.keysets.read()
    lose(cloud, 3)
    assert booted.keysets.read().number == 2
    repaired(booted, origin)
    assert booted.keysets.read() == good


def test_nothing_that_ended_comes_back_from_the_history(booted, stack, origin, cloud):
    """A key that was revoked in what SSM holds is revoked in what is restored; the standby signs."""
    good = booted.keysets.read()
    active, standby = good.keyset.active.kid, good.keyset.standby.kid
    booted.history.keep(9, document.dumps(replace(good, number=9)))
    revoked(booted, stack, active)
    diagnosis = repaired(booted, origin)
    assert (diagnosis.source.number, diagnosis.number) == (3, 10)
    assert truth(cloud).get(active).state is State.REVOKED
    assert active_kid(cloud) == standby


def test_what_a_lost_branch_revoked_is_revoked_again(booted, cloud, origin, stack, container):
    """The newest was deleted and its number taken by another writer before anybody looked."""
    kid = revoked(booted, stack, active_kid(cloud))
    warm = container()
    assert warm.view.get().keyset.find(kid).state is State.REVOKED
    record_changes(booted)
    lose(cloud, 3)
    revoked(booted, stack, standby_kid(cloud))
    assert active_kid(cloud) == kid
    diagnosis = repaired(booted, origin)
    assert diagnosis.revocations == (kid,)
    assert truth(cloud).get(kid).state is State.REVOKED
    warm.clock.advance(warm.times.view_ttl + 1)
    assert warm.view.get_fresh() == booted.keysets.read()
