"""Keys as large as real ones, with every instant that their state can have."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from keyturn.keyset.model import EndedKey, Key
from keyturn.keyset.states import State

NOW = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)
OP_ID = "0f2d1c3b-4a59-4687-9b7a-6c5d4e3f2a1b"
_INSTANTS = {
    State.STANDBY: ("published",),
    State.ACTIVE: ("published", "activated"),
    State.GRACE: ("published", "activated", "superseded", "verify_until"),
}


def arn(number: int, region: str = "ap-southeast-1") -> str:
    """A KMS key ARN."""
    return f"arn:aws:kms:{region}:123456789012:key/{UUID(int=2**127 + number)}"


def live(number: int, state: State, region: str = "ap-southeast-1") -> Key:
    """A live key; each of its instants is an hour after the one before."""
    instants = {
        name: NOW + timedelta(hours=hour, seconds=number)
        for hour, name in enumerate(_INSTANTS[state])
    }
    return Key(f"{number:043}", arn(number, region), state, 86_400, NOW, **instants)


def ended(number: int, state: State = State.REVOKED) -> EndedKey:
    """An ended key."""
    return EndedKey(f"{number:043}", arn(number), state, NOW, NOW + timedelta(seconds=number))


STATES = (State.ACTIVE, State.STANDBY, *[State.GRACE] * 8)
LIVE = tuple(live(number, state) for number, state in enumerate(STATES))  # as many as there can be
