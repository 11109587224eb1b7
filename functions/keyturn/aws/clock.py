"""Time and randomness, which handlers receive as an argument."""

import random
import time
import uuid
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A wall clock, a monotonic clock, a way to wait, and randomness."""

    def now(self) -> datetime:
        """The current time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for this many seconds."""
        ...

    def fraction(self) -> float:
        """A random number from 0 to 1, for jitter."""
        ...

    def new_id(self) -> str:
        """A unique id."""
        ...


class SystemClock:
    """The machine's own clocks and randomness."""

    def now(self) -> datetime:
        """See Clock."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """See Clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """See Clock."""
        time.sleep(seconds)

    def fraction(self) -> float:
        """See Clock."""
        return random.random()  # noqa: S311 - jitter, not a secret

    def new_id(self) -> str:
        """See Clock."""
        return str(uuid.uuid4())
