"""A key's first minutes: KMS may not know it yet, or one of its hosts may and the next may not.

Usually it takes less than a few seconds, in some cases several minutes, and meanwhile calls fail with
NotFoundException or KMSInvalidStateException (AWS KMS Developer Guide, "AWS KMS eventual consistency").
So `NotFound` says of a young key that it is not known yet, and only of an older one that it is gone.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from keyturn.aws.faults import AccessDenied, KeyUnusable
from keyturn.aws.stack import Stack

_T = TypeVar("_T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 4.0  # seconds: each is twice the one before


def is_newborn(stack: Stack, created: datetime) -> bool:
    """Whether KMS may not know a key of this age; clocks may differ by ε."""
    skew = timedelta(seconds=stack.times.clock_skew)
    return stack.clock.now() - created <= stack.limits.newborn_age + skew


def wait_until_known(
    stack: Stack, created: datetime, ask: Callable[[], _T], *, patience: timedelta
) -> _T:
    """What KMS answers about a key; waits up to `patience` for KMS to know a newborn and its policy.

    Raises KeyUnusable, AccessDenied, AwsFault.
    """
    deadline = stack.clock.monotonic() + patience.total_seconds()
    pause = _FIRST_PAUSE
    while True:
        try:
            return ask()
        except (KeyUnusable, AccessDenied):
            if not is_newborn(stack, created) or stack.clock.monotonic() > deadline:
                raise
        stack.clock.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
