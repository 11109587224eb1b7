"""RepairKeyset: which case it is, and what is restored under which number."""

from dataclasses import replace

import pytest

from keyturn.aws.keyset_reader import AHEAD
from keyturn.keyset import document
from keyturn.keyset.states import State
from keyturn.rotation import repair_keyset
from keyturn.rotation.record_changes import record_changes
from keyturn.rotation.repair_keyset import Condition

SPOILT = {
    "not JSON": lambda text: "{",
    "an unknown member": lambda text: text.replace('"reason"', '"raisin"'),
    "another number": lambda text: text.replace('"generation":', '"generation":1'),
    "an older schema": lambda text: text.replace('"schema":1', '"schema":0'),
}


def test_a_sound_keyset_needs_no_repair(booted, world):
    """Diagnosing it writes nothing."""
    before = world()
    diagnosis = repair_keyset.diagnose(booted)
    assert (diagnosis.condition, diagnosis.number, diagnosis.removals) == (
        Condition.SOUND,
        None,
        [],
    )
    assert world() == before


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_an_unreadable_newest_generation_gives_way(booted, put, repaired, world, truth, spoil):
    """The last readable keyset counts again above it; its text is kept, and the number is gone."""
    good = booted.keysets.read()
    text = spoil(document.dumps(good))
    put(3, text)
    diagnosis = repaired()
    assert (diagnosis.condition, diagnosis.source, diagnosis.number) == (
        Condition.UNREADABLE,
        good,
        4,
    )
    assert truth() == good.keyset
    generation = booted.keysets.read()
    assert (generation.number, generation.reason) == (4, "unreadable")
    assert sorted(booted.keysets.stored()) == [1, 2, 4]
    [kept] = [body for key, (body, *_) in world()["objects"].items() if "unreadable" in key]
    assert kept.decode() == text


def test_what_was_overwritten_comes_from_the_history(booted, put, repaired, truth, revoked):
    """Where the history holds the very generation that is spoilt, nothing is lost."""
    kid = revoked(truth().standby.kid)
    record_changes(booted)
    good = booted.keysets.read()
    put(good.number, "{")
    diagnosis = repaired()
    assert (diagnosis.source, diagnosis.number) == (good, good.number + 1)
    assert truth().find(kid).state is State.REVOKED


def test_a_warm_reader_follows_the_repair(booted, put, repaired, container):
    """It held the number that was spoilt afterwards, so that number is never used again."""
    warm = container()
    held = warm.view.current()
    put(held.number, "{")
    repaired()
    warm.clock.advance(warm.times.view_ttl + 1)
    assert warm.view.current().number == booted.keysets.read().number > held.number


def test_a_far_generation_leaves_no_gap(booted, put, repaired, container):
    """A warm reader looks ten numbers ahead: what is restored comes within its reach."""
    warm = container()
    held = warm.view.current()
    put(999_999_999_999, "{")
    diagnosis = repaired()
    assert (diagnosis.number, diagnosis.removals) == (held.number + 1, [999_999_999_999])
    warm.clock.advance(warm.times.view_ttl + 1)
    assert warm.view.current().number == held.number + 1


def test_an_unreadable_generation_below_is_only_taken_away(booted, put, repaired, truth):
    """The newest counts already; nothing is appended."""
    before = truth()
    put(1, "{")
    diagnosis = repaired()
    assert (diagnosis.condition, diagnosis.number, diagnosis.removals) == (
        Condition.UNREADABLE,
        None,
        [1],
    )
    assert truth() == before
    assert sorted(booted.keysets.stored()) == [2]


@pytest.mark.parametrize("number", [2, 3, 1])
def test_a_newer_release_is_left_alone(booted, put, world, number):
    """Wherever it stands: that release can read it, and this one must not decide."""
    text = document.dumps(booted.keysets.read()).replace('"schema":1', '"schema":2')
    put(number, text)
    before = world()
    assert repair_keyset.diagnose(booted).condition is Condition.NEWER_RELEASE
    assert world() == before


@pytest.mark.parametrize("lost", [(2,), (1, 2)], ids=["the newest", "all"])
def test_deleted_generations_come_back_from_the_history(booted, lose, repaired, truth, lost):
    """As a new generation above everything that was seen."""
    record_changes(booted)
    good = booted.keysets.read()
    lose(*lost)
    diagnosis = repaired()
    assert (diagnosis.condition, diagnosis.source, diagnosis.number) == (
        Condition.DELETED,
        good,
        3,
    )
    assert truth() == good.keyset
    assert booted.keysets.read().reason == "deleted"


def test_nothing_that_ended_comes_back_from_the_history(booted, revoked, repaired, truth):
    """A key that was revoked in what SSM holds is revoked in what is restored; the standby signs."""
    good = booted.keysets.read()
    active, standby = good.keyset.active.kid, good.keyset.standby.kid
    booted.history.keep(9, document.dumps(replace(good, number=9)))
    revoked(active)
    diagnosis = repaired()
    assert (diagnosis.source.number, diagnosis.number) == (9, 10)
    assert diagnosis.revocations == (active,)
    assert truth().find(active).state is State.REVOKED
    assert truth().active.kid == standby


def test_what_is_far_below_goes_so_that_warm_readers_look_up(booted, container, repaired, world):
    """A reader that holds it would ask for the nine numbers above it, and see nothing new."""
    good = booted.keysets.read()
    warm = container()
    assert warm.view.current() == good
    booted.history.keep(1 + AHEAD, document.dumps(replace(good, number=1 + AHEAD)))
    diagnosis = repaired()
    assert diagnosis.removals == [1, 2]
    assert {"history/000000000001.json", "history/000000000002.json"} <= world()["objects"].keys()
    warm.clock.advance(warm.times.view_ttl + 1)
    assert warm.view.current().number == 2 + AHEAD
