"""What a container believes the keyset to be, and for how long it may believe it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from keyturn.aws.clock import Clock
from keyturn.aws.faults import AwsFault
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import Generation

_UNKNOWN_KID_PAUSE = 5.0  # seconds between reads that an unknown kid can cause


class ViewTooOld(KeysetFault):
    """The keyset could not be read for longer than the stale limit: fail closed."""


class Reader(Protocol):
    """What a view needs of the store."""

    def read(self) -> Generation:
        """The highest generation."""
        ...

    def newer(self, held: Generation) -> Generation:
        """The highest generation that can be seen from `held`."""
        ...


@dataclass(frozen=True, slots=True)
class _Instant:
    """A moment on both clocks: a frozen container's monotonic clock may stand still."""

    wall: datetime
    monotonic: float

    def age(self, now: "_Instant") -> float | None:
        """Seconds since, by the clock that ran further; None when the wall clock went back."""
        wall = (now.wall - self.wall) / timedelta(seconds=1)
        return None if wall < 0 else max(wall, now.monotonic - self.monotonic)


class KeysetView:
    """A cached generation: fresh for `ttl` seconds (C), usable for `stale_limit` without SSM.

    It never goes back to a lower generation, and a lower one never renews its age. Ages count from
    before the read was sent.
    """

    def __init__(self, reader: Reader, clock: Clock, *, ttl: int, stale_limit: int) -> None:
        self._reader = reader
        self._clock = clock
        self._ttl = ttl
        self._stale_limit = stale_limit
        self._held: Generation | None = None
        self._read: _Instant | None = None
        self._tried: _Instant | None = None

    def current(self) -> Generation:
        """The generation to act on; raises ViewTooOld, or the fault of the very first read."""
        if self._older_than(self._ttl, self._read):
            if self._may_try():
                self._refresh()
            if self._older_than(self._stale_limit, self._read):
                raise ViewTooOld(f"no keyset was read for more than {self._stale_limit} s")
        return self._generation()

    def refreshed(self) -> Generation:
        """Look again although the view is fresh, at most once in five seconds (unknown kid).

        Raises ViewTooOld when it is not: what we have not seen may exist all the same.
        """
        if self._older_than(_UNKNOWN_KID_PAUSE, self._tried):
            self._refresh()
        if self._older_than(self._ttl, self._read):
            raise ViewTooOld("the keyset cannot be read, and a kid is not in the last one seen")
        return self._generation()

    def for_signing(self) -> Generation:
        """The generation, at most `ttl` old or read in this very call; raises ViewTooOld.

        An issuer never falls back on an older one: its tokens could outlive the key's grace.
        """
        if self._older_than(self._ttl, self._read):
            return self.reread()
        return self._generation()

    def reread(self) -> Generation:
        """Look again now; raises ViewTooOld when that cannot be done."""
        if not (self._may_try() and self._refresh()):
            raise ViewTooOld("the keyset cannot be read")
        return self._generation()

    def _may_try(self) -> bool:
        """Whether the last read, if it failed, is long enough ago to try again."""
        pause = min(self._ttl, _UNKNOWN_KID_PAUSE)
        return self._tried == self._read or self._older_than(pause, self._tried)

    def _older_than(self, seconds: float, instant: _Instant | None) -> bool:
        age = instant.age(self._now()) if instant else None
        return age is None or age > seconds

    def _refresh(self) -> bool:
        sent = self._tried = self._now()
        try:
            seen = self._reader.newer(self._held) if self._held else self._reader.read()
        except (AwsFault, KeysetFault):
            if self._held is None:
                self._tried = None
                raise
            return False
        if self._held is not None and seen.number < self._held.number:
            return False
        self._held, self._read = seen, sent
        return True

    def _now(self) -> _Instant:
        return _Instant(self._clock.now(), self._clock.monotonic())

    def _generation(self) -> Generation:
        if self._held is None:
            raise ViewTooOld("no keyset was ever read")
        return self._held
