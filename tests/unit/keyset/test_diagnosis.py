"""What reconcile repairs and doctor reports: each rule, just before its limit and just after."""

from datetime import UTC, datetime, timedelta

import pytest

from keyturn.keyset import diagnosis, timing
from keyturn.keyset.model import Generation, Key, Keyset
from keyturn.keyset.states import State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
EMPTY = Keyset()


def key(state, name="a", **instants):
    """A key in this state."""
    return Key(name * 43, f"arn:aws:kms:::key/{name}", state, 3600, NOW, **instants)


def test_a_generation_is_settled_once_no_run_works_on_it(limits):
    """It is settled ten minutes after it was written."""
    generation = Generation(1, "op-1", "tests", "trying", NOW, EMPTY)
    assert diagnosis.settled_at(generation, limits) == NOW + limits.settling_time


def test_a_grace_key_is_overdue_when_it_may_retire(times):
    """It is not overdue at `retire_after` itself; keys in other states never are."""
    early, late = key(State.GRACE, verify_until=NOW), key(State.GRACE, "b", verify_until=NOW + TICK)
    keyset = Keyset((key(State.ACTIVE, "c", activated=NOW), early, late))
    ready = timing.retire_after(NOW, times)
    assert diagnosis.overdue_keys(keyset, ready, times) == ()
    assert diagnosis.overdue_keys(keyset, ready + TICK, times) == (early,)


@pytest.mark.parametrize(
    ("keys", "after", "delay"),
    [
        ((key(State.ACTIVE, activated=NOW),), timedelta(0), timedelta(0)),
        ((key(State.ACTIVE, activated=NOW),), timedelta(days=2), timedelta(days=2)),
        ((key(State.ACTIVE),), timedelta(days=2), timedelta(0)),
        ((key(State.STANDBY),), timedelta(days=2), timedelta(0)),
    ],
    ids=["due", "two days late", "activated nobody knows when", "no active key"],
)
def test_a_rotation_is_delayed_from_when_it_was_due(keys, after, delay, times):
    """The delay is zero where there is nothing to measure it from."""
    due = timing.due_at(NOW, times)
    assert diagnosis.rotation_delay(Keyset(keys), due + after, times) == delay
    assert diagnosis.rotation_delay(Keyset(keys), due - TICK, times) == timedelta(0)


def test_a_newborn_may_be_unknown_to_kms(times, limits):
    """It may be unknown for five minutes, and ε more because clocks differ."""
    age = limits.newborn_age + timedelta(seconds=times.clock_skew)
    assert diagnosis.is_newborn(NOW - age, NOW, times, limits)
    assert not diagnosis.is_newborn(NOW - age - TICK, NOW, times, limits)


@pytest.mark.parametrize(
    ("horizon", "age", "unregistrable"),
    [
        (None, timedelta(0), False),
        (None, timedelta(hours=2), False),
        (None, timedelta(hours=2) + TICK, True),
        (NOW, timedelta(0), True),
        (NOW - TICK, timedelta(0), False),
    ],
    ids=["new", "at the limit", "too old", "behind the horizon", "before the horizon"],
)
def test_an_unlisted_key_can_be_registered_for_two_hours(horizon, age, unregistrable, limits):
    """It cannot if it is behind the horizon, which covers every key that is no longer listed."""
    keyset = Keyset(horizon=horizon)
    assert diagnosis.is_unregistrable(keyset, NOW - age, NOW, limits) is unregistrable
