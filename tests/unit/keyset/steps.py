"""A keyset with a key in every state, and the transitions under the default settings."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from keyturn.keyset import transitions
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import State
from keyturn.keyset.timing import Limits
from tests.periods import DEFAULTS

LIMITS = Limits()

publish = transitions.publish
activate = partial(transitions.activate, times=DEFAULTS, limits=LIMITS)
roll_back = partial(transitions.roll_back, times=DEFAULTS)
retire = partial(transitions.retire, times=DEFAULTS, limits=LIMITS)
revoke = partial(transitions.revoke, times=DEFAULTS, limits=LIMITS)


def arn(kid: str) -> str:
    """The ARN of a kid's KMS key."""
    return f"arn:aws:kms:eu-west-1:123456789012:key/{kid}"


def register(keyset: Keyset, kid: str, now: datetime, **changes: Any) -> Keyset:
    """Register a KMS key that was created just now; its tokens live for a minute."""
    arguments: dict[str, Any] = {
        "kms_key_arn": arn(kid),
        "created": now,
        "lifetime": 60,
        "limits": LIMITS,
    }
    return transitions.register(keyset, kid, now=now, **(arguments | changes))


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG_AGO, LATER = NOW - timedelta(days=1), NOW + timedelta(hours=1)
SECOND, TICK = timedelta(seconds=1), timedelta(microseconds=1)
A, S, G, R, V, N = (letter * 43 for letter in "asgrvn")

ACTIVE = Key(A, arn(A), State.ACTIVE, 900, LONG_AGO, LONG_AGO, activated=LONG_AGO)
STANDBY = Key(S, arn(S), State.STANDBY, 1200, LONG_AGO, LONG_AGO)
UNPUBLISHED = replace(STANDBY, published=None)
GRACE_END = NOW + 700 * SECOND
GRACE = Key(G, arn(G), State.GRACE, 600, LONG_AGO, LONG_AGO, LONG_AGO, NOW, GRACE_END)
RETIRED = EndedKey(R, arn(R), State.RETIRED, LONG_AGO, NOW)
REVOKED = EndedKey(V, arn(V), State.REVOKED, LONG_AGO, NOW)
FULL = Keyset((ACTIVE, STANDBY, GRACE), (RETIRED, REVOKED))


def keyset(*keys: Key) -> Keyset:
    """These live keys beside the ended ones."""
    return Keyset(keys, FULL.ended)
