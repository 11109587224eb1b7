"""A key's first minutes, in which some or all KMS hosts may not know it yet.

Propagation usually takes a few seconds, sometimes several minutes. Until then calls fail with
NotFoundException or KMSInvalidStateException (AWS KMS Developer Guide, "AWS KMS eventual
consistency"). For a young key `NotFound` therefore means "not known yet"; only for an older key
does it mean "gone".
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from keyturn.aws.faults import AccessDenied, KeyUnusable
from keyturn.aws.stack import Stack
from keyturn.keyset import diagnosis

_T = TypeVar("_T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 4.0  # seconds; each pause is twice the previous one


def is_newborn(stack: Stack, created: datetime) -> bool:
    """Whether the key is so young that KMS may not know it yet."""
    return diagnosis.is_newborn(created, stack.clock.now(), stack.times, stack.limits)


def wait_until_known(
    stack: Stack, created: datetime, ask: Callable[[], _T], *, patience: timedelta
) -> _T:
    """KMS's answer to `ask`; waits up to `patience` for KMS to know a new key and its policy.

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
