"""A JWKS holds ten keys at most: the next rotation waits until a grace key may retire."""

from datetime import UTC, datetime, timedelta

import pytest

from keyturn.keyset.errors import InvariantBroken, TooEarly
from keyturn.keyset.model import MAX_LIVE_KEYS, Key, Keyset
from keyturn.keyset.planning import Takeover, TakeoverReason, takeover
from keyturn.keyset.states import State
from keyturn.keyset.timing import publication_wait, retire_after
from keyturn.keyset.transitions import activate
from tests.unit.stage import active_key

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG_AGO, SECOND = NOW - timedelta(days=1), timedelta(seconds=1)


def key(number: int, state: State, until: datetime | None = None) -> Key:
    """A published key."""
    return Key(f"{number:043}", f"arn/{number}", state, 60, LONG_AGO, LONG_AGO, verify_until=until)


ACTIVE, STANDBY = key(1, State.ACTIVE), key(2, State.STANDBY)


def keyset(grace: int) -> Keyset:
    """An active key, a standby and so many grace keys; the youngest stands first."""
    ends = [key(10 + n, State.GRACE, NOW + (grace - n) * SECOND) for n in range(grace)]
    return Keyset((ACTIVE, STANDBY, *ends))


def turn(times, limits, keys: Keyset, now: datetime) -> Keyset:
    """Activate the standby."""
    return activate(keys, STANDBY.kid, now, supersede=ACTIVE.kid, times=times, limits=limits)


def test_there_is_room_for_the_successor(times, limits):
    """With seven grace keys the rotation goes on: ten live keys once the next standby is there."""
    after = turn(times, limits, keyset(7), NOW)
    assert len(after.keys) + 1 == MAX_LIVE_KEYS
    assert len(after.grace) == 8


def test_the_rotation_waits_for_a_grace_key(times, limits):
    """With eight it is too early until the first of them may retire, and says what it waits for."""
    until = retire_after(NOW + SECOND, times)
    with pytest.raises(TooEarly, match=r"^jwks_full: ") as refused:
        turn(times, limits, keyset(8), until)
    assert refused.value.until == until


def test_a_grace_key_retires_with_the_activation(times, limits):
    """The run does not depend on the run that waits for the grace key; one is enough."""
    after = turn(times, limits, keyset(8), retire_after(NOW + SECOND, times) + SECOND)
    assert active_key(after).kid == STANDBY.kid
    assert [ended.state for ended in after.ended] == [State.RETIRED]
    assert len(after.grace) == 8


def test_both_waits_count(times, limits):
    """A young standby in a full JWKS waits for the later of the two."""
    full, until = keyset(8), retire_after(NOW + SECOND, times)
    waits = {
        published: takeover(full, published, times, limits)
        for published in (LONG_AGO, until - publication_wait(times) + SECOND)
    }
    assert list(waits.values()) == [
        Takeover(until, TakeoverReason.JWKS_FULL),
        Takeover(until + SECOND, TakeoverReason.JWKS_FULL),
    ]
    assert takeover(keyset(7), LONG_AGO, times, limits).reason is TakeoverReason.PUBLICATION


def test_nobody_signs_is_never_full(times, limits):
    """An emergency waits for no grace key."""
    grace = [key(10 + n, State.GRACE, NOW + SECOND) for n in range(8)]
    keys = Keyset((STANDBY, *grace))
    after = activate(keys, STANDBY.kid, NOW, supersede=None, times=times, limits=limits)
    assert active_key(after).kid == STANDBY.kid


def test_more_live_keys_are_no_keyset():
    """Eleven are refused, whoever made them."""
    with pytest.raises(InvariantBroken, match="at most 10 live keys"):
        keyset(9)
