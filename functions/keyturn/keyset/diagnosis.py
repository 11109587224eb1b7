"""What a keyset needs at a given time: reconcile does it, doctor says it.

Both ask here, so that neither reports what the other leaves alone.
"""

from datetime import datetime, timedelta

from keyturn.keyset import timing
from keyturn.keyset.model import Generation, Key, Keyset
from keyturn.keyset.timing import Limits, Times


def settled_at(generation: Generation, limits: Limits) -> datetime:
    """From then on no run is still at work on the generation, so what it lacks must be repaired."""
    return generation.at + limits.settling_time


def overdue_keys(keyset: Keyset, now: datetime, times: Times) -> tuple[Key, ...]:
    """The grace keys whose tokens have all expired, so that they may retire."""
    return tuple(
        key
        for key in keyset.grace
        if key.verify_until is None or now > timing.retire_after(key.verify_until, times)
    )


def rotation_delay(keyset: Keyset, now: datetime, times: Times) -> timedelta:
    """For how long a rotation has been due; zero before, and while no key is active."""
    if keyset.active is None or keyset.active.activated is None:
        return timedelta(0)
    return max(now - timing.due_at(keyset.active.activated, times), timedelta(0))


def is_newborn(created: datetime, now: datetime, times: Times, limits: Limits) -> bool:
    """Whether the key is so young that KMS may not know it yet; clocks may differ by ε."""
    return now - created <= limits.newborn_age + timedelta(seconds=times.clock_skew)


def is_unregistrable(keyset: Keyset, created: datetime, now: datetime, limits: Limits) -> bool:
    """Whether an unlisted KMS key, created then, has ended or will never be registered."""
    is_behind_horizon = keyset.is_behind_horizon(timing.whole_second(created))
    return is_behind_horizon or now - created > limits.orphan_age
