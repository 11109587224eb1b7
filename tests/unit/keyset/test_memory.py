"""Which ended keys a keyset lists, and that a forgotten key cannot come back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from keyturn.keyset.errors import CreatedTooLongAgo
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import State
from keyturn.keyset.timing import Limits
from tests.unit.keyset.steps import LIMITS, register, retire, revoke

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, TICK, HOUR = timedelta(seconds=1), timedelta(microseconds=1), timedelta(hours=1)
SMALL = Limits(listed_keys=4)


def live(number: int, state: State) -> Key:
    """A live key, created so many seconds after noon of the day before."""
    born = NOW - timedelta(days=1) + number * SECOND
    until = NOW - SECOND if state is State.GRACE else None
    return Key(f"{number:043}", f"arn/{number}", state, 60, born, born, verify_until=until)


def ended(number: int, at: datetime = NOW) -> EndedKey:
    """A revoked key, created like `live`."""
    key = live(number, State.STANDBY)
    return EndedKey(key.kid, key.kms_key_arn, State.REVOKED, key.created, at)


ACTIVE, GRACE = live(90, State.ACTIVE), live(91, State.GRACE)
STANDBY_KID = f"{99:043}"


@pytest.mark.parametrize(
    "step",
    [
        partial(register, kid=STANDBY_KID, created=NOW, limits=Limits(registration_age=HOUR * 96)),
        partial(retire, kid=GRACE.kid),
        partial(revoke, kids=[GRACE.kid]),
    ],
    ids=["register", "retire", "revoke"],
)
def test_an_end_is_listed_for_its_age(step):
    """At 48 h an end is still listed; a moment later it is not, and no live key is lost."""
    keyset, end = Keyset((ACTIVE, GRACE), (ended(1), ended(2))), NOW + LIMITS.ended_age
    in_time, later = step(keyset, now=end), step(keyset, now=end + TICK)
    assert {ended(1), ended(2)} <= set(in_time.ended)
    assert not {ended(1), ended(2)} & set(later.ended)
    assert later.keys == in_time.keys
    assert (in_time.horizon, later.horizon) == (None, ended(2).created)


def test_the_longest_ended_make_room():
    """The number of live and ended keys is limited; the most recently ended are listed."""
    keyset = Keyset((ACTIVE, GRACE), (ended(1), ended(2)))
    revoked = revoke(keyset, [ACTIVE.kid, GRACE.kid], NOW, limits=SMALL)
    assert [key.kid for key in revoked.ended] == [ended(1).kid, ended(2).kid, ACTIVE.kid, GRACE.kid]
    registered = register(revoked, STANDBY_KID, NOW, limits=SMALL)
    assert [key.kid for key in registered.ended] == [ended(2).kid, ACTIVE.kid, GRACE.kid]
    assert registered.horizon == ended(1).created


def test_the_horizon_never_goes_back():
    """It is the latest creation of all forgotten keys, in whatever order they were forgotten."""
    keyset = Keyset((ACTIVE, GRACE), (ended(5), ended(2)), horizon=ended(4).created)
    once = register(keyset, STANDBY_KID, NOW, limits=SMALL)
    twice = revoke(once, [GRACE.kid], NOW, limits=replace(SMALL, listed_keys=3))
    assert once.horizon == ended(5).created
    assert twice.horizon == ended(5).created


def test_a_forgotten_key_cannot_be_registered():
    """A key created at the horizon or before it is refused; one created after it is not."""
    keyset = Keyset((ACTIVE,), horizon=NOW)
    with pytest.raises(CreatedTooLongAgo):
        register(keyset, STANDBY_KID, NOW + SECOND, created=NOW)
    registered = register(keyset, STANDBY_KID, NOW + SECOND, created=NOW + TICK)
    assert registered.standby
    assert registered.horizon == NOW


def test_a_thousand_ends_leave_a_small_keyset():
    """However many keys end, and however fast, there is room for the next ones."""
    keyset = Keyset()
    for number in range(1000):
        now, kid = NOW + number * SECOND, f"{number:043}"
        keyset = revoke(register(keyset, kid, now), [kid], now)
        assert len(keyset.all_keys) <= LIMITS.listed_keys
    assert keyset.horizon == NOW + (999 - LIMITS.listed_keys) * SECOND
