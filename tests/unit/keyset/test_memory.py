"""What a keyset lists of ended keys, and that what it forgot cannot come back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keyturn.keyset.errors import CreatedTooLongAgo
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import State
from keyturn.keyset.timing import Limits
from keyturn.keyset.transitions import register, retire, revoke

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, TICK = timedelta(seconds=1), timedelta(microseconds=1)
SMALL = Limits(listed_keys=4)


def live(number: int, state: State) -> Key:
    """A live key, born so many seconds after noon of the day before."""
    born = NOW - timedelta(days=1) + number * SECOND
    until = NOW - SECOND if state is State.GRACE else None
    return Key(f"{number:043}", f"arn/{number}", state, 60, born, born, verify_until=until)


def ended(number: int, at: datetime = NOW) -> EndedKey:
    """A revoked key, born like `live`."""
    key = live(number, State.STANDBY)
    return EndedKey(key.kid, key.kms_key_arn, State.REVOKED, key.created, at)


ACTIVE, GRACE = live(90, State.ACTIVE), live(91, State.GRACE)


def registered(keyset: Keyset, *, now: datetime, created: datetime, limits: Limits) -> Keyset:
    """The keyset with key 99 as its standby."""
    kid = f"{99:043}"
    return register(keyset, kid, "arn/99", now, created=created, lifetime=60, limits=limits)


@pytest.fixture
def steps(times, limits):
    """Each change that forgets, with the keyset and the clock left open."""
    return {
        "register": lambda keys, now: registered(
            keys, now=now, created=NOW, limits=Limits(registration_age=limits.ended_age * 2)
        ),
        "retire": lambda keys, now: retire(keys, GRACE.kid, now, times=times, limits=Limits()),
        "revoke": lambda keys, now: revoke(keys, [GRACE.kid], now, times=times, limits=Limits()),
    }


@pytest.mark.parametrize("name", ["register", "retire", "revoke"])
def test_an_end_is_listed_for_its_age(steps, limits, name):
    """At 48 h an end is still listed; a moment later it is not, and no live key is lost."""
    keyset, end = Keyset((ACTIVE, GRACE), (ended(1), ended(2))), NOW + limits.ended_age
    kept, later = steps[name](keyset, end), steps[name](keyset, end + TICK)
    assert {ended(1), ended(2)} <= set(kept.ended)
    assert not {ended(1), ended(2)} & set(later.ended)
    assert later.keys == kept.keys
    assert (kept.horizon, later.horizon) == (None, ended(2).created)


def test_the_longest_ended_make_room(times):
    """Live and ended keys together are at most so many; those that have just ended are listed."""
    keyset = Keyset((ACTIVE, GRACE), (ended(1), ended(2)))
    after = revoke(keyset, [ACTIVE.kid, GRACE.kid], NOW, times=times, limits=SMALL)
    assert [key.kid for key in after.ended] == [ended(1).kid, ended(2).kid, ACTIVE.kid, GRACE.kid]
    after = registered(after, now=NOW, created=NOW, limits=SMALL)
    assert [key.kid for key in after.ended] == [ended(2).kid, ACTIVE.kid, GRACE.kid]
    assert after.horizon == ended(1).created


def test_the_horizon_never_goes_back(times):
    """It is the latest birth of all that was forgotten, in whatever order that was."""
    keyset = Keyset((ACTIVE, GRACE), (ended(5), ended(2)), horizon=ended(4).created)
    once = registered(keyset, now=NOW, created=NOW, limits=SMALL)
    twice = revoke(once, [GRACE.kid], NOW, times=times, limits=replace(SMALL, listed_keys=3))
    assert once.horizon == ended(5).created
    assert twice.horizon == ended(5).created


def test_what_was_forgotten_cannot_be_registered():
    """A key born at the horizon, or before it, is refused for ever; one born after it is not."""
    keyset = Keyset((ACTIVE,), horizon=NOW)
    with pytest.raises(CreatedTooLongAgo):
        registered(keyset, now=NOW + SECOND, created=NOW, limits=Limits())
    fresh = registered(keyset, now=NOW + SECOND, created=NOW + TICK, limits=Limits())
    assert fresh.standby
    assert fresh.horizon == NOW


def test_a_thousand_ends_leave_a_small_keyset(times, limits):
    """However many keys end, and however fast, there is room for the next ones."""
    keyset = Keyset()
    for number in range(1000):
        now = NOW + number * SECOND
        kid = f"{number:043}"
        keyset = register(
            keyset, kid, f"arn/{number}", now, created=now, lifetime=60, limits=limits
        )
        keyset = revoke(keyset, [kid], now, times=times, limits=limits)
        assert len(keyset.all_keys) <= limits.listed_keys
    assert keyset.horizon == NOW + (999 - limits.listed_keys) * SECOND
