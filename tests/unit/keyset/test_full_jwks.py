"""A JWKS holds ten keys at most: the next rotation waits until a grace key may retire."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keyturn.keyset.errors import InvariantBroken, TooEarly
from keyturn.keyset.model import MAX_LIVE_KEYS, Key, Keyset
from keyturn.keyset.planning import Takeover, TakeoverReason, takeover
from keyturn.keyset.states import State
from keyturn.keyset.timing import publication_wait, retire_after
from tests.periods import DEFAULTS
from tests.unit.keyset.steps import LIMITS, activate
from tests.unit.stage import active_key

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG_AGO, SECOND = NOW - timedelta(days=1), timedelta(seconds=1)


def key(number: int, state: State, until: datetime | None = None) -> Key:
    """A published key."""
    return Key(f"{number:043}", f"arn/{number}", state, 60, LONG_AGO, LONG_AGO, verify_until=until)


ACTIVE, STANDBY = key(1, State.ACTIVE), key(2, State.STANDBY)


def keyset(grace: int) -> Keyset:
    """An active key, a standby and this many grace keys, the youngest first."""
    ends = [key(10 + n, State.GRACE, NOW + (grace - n) * SECOND) for n in range(grace)]
    return Keyset((ACTIVE, STANDBY, *ends))


def activate_standby(keys: Keyset, now: datetime) -> Keyset:
    """Supersede the active key."""
    return activate(keys, STANDBY.kid, now, supersede=ACTIVE.kid)


FIRST_END = retire_after(NOW + SECOND, DEFAULTS)  # when the oldest grace key may retire


def test_there_is_room_for_the_successor():
    """With seven grace keys the rotation goes on: ten live keys once the next standby is there."""
    activated = activate_standby(keyset(7), NOW)
    assert len(activated.keys) + 1 == MAX_LIVE_KEYS
    assert len(activated.grace) == 8


def test_the_rotation_waits_for_a_grace_key():
    """With eight it is too early until the first of them may retire; the error gives the reason."""
    with pytest.raises(TooEarly, match=r"^jwks_full: ") as refused:
        activate_standby(keyset(8), FIRST_END)
    assert refused.value.until == FIRST_END


def test_a_grace_key_retires_with_the_activation():
    """It does not need the run that waits for the grace key; one retirement is enough."""
    activated = activate_standby(keyset(8), FIRST_END + SECOND)
    assert active_key(activated).kid == STANDBY.kid
    assert [ended.state for ended in activated.ended] == [State.RETIRED]
    assert len(activated.grace) == 8


def test_both_waits_count():
    """A young standby in a full JWKS waits for the later of the two."""
    young = FIRST_END - publication_wait(DEFAULTS) + SECOND
    full = TakeoverReason.JWKS_FULL
    assert takeover(keyset(8), LONG_AGO, DEFAULTS, LIMITS) == Takeover(FIRST_END, full)
    assert takeover(keyset(8), young, DEFAULTS, LIMITS) == Takeover(FIRST_END + SECOND, full)
    not_full = takeover(keyset(7), LONG_AGO, DEFAULTS, LIMITS)
    assert not_full.reason is TakeoverReason.PUBLICATION


def test_a_standby_does_not_wait_for_room_if_no_key_is_active():
    """In an emergency no grace key has to retire first."""
    without_active = replace(keyset(8), keys=keyset(8).keys[1:])
    activated = activate(without_active, STANDBY.kid, NOW, supersede=None)
    assert active_key(activated).kid == STANDBY.kid


def test_a_keyset_has_at_most_ten_live_keys():
    """An eleventh breaks the invariant."""
    with pytest.raises(InvariantBroken, match="at most 10 live keys"):
        keyset(9)
