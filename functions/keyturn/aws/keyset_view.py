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
            if self._older_than(min(self._ttl, _UNKNOWN_KID_PAUSE), self._tried):
                self._refresh()
            if self._older_than(self._stale_limit, self._read):
                raise ViewTooOld(f"no keyset was read for more than {self._stale_limit} s")
        return self._generation()

    def refreshed(self) -> Generation:
        """Look again although the view is fresh, at most once in five seconds (unknown kid)."""
        if self._older_than(_UNKNOWN_KID_PAUSE, self._tried):
            self._refresh()
        return self._generation()

    def _older_than(self, seconds: float, instant: _Instant | None) -> bool:
        age = instant.age(self._now()) if instant else None
        return age is None or age > seconds

    def _refresh(self) -> None:
        sent = self._tried = self._now()
        try:
            seen = self._reader.newer(self._held) if self._held else self._reader.read()
        except (AwsFault, KeysetFault):
            if self._held is None:
                self._tried = None
                raise
            return
        if self._held is None or seen.number >= self._held.number:
            self._held, self._read = seen, sent

    def _now(self) -> _Instant:
        return _Instant(self._clock.now(), self._clock.monotonic())

    def _generation(self) -> Generation:
        if self._held is None:
            raise ViewTooOld("no keyset was ever read")
        return self._held
