"""What a container believes the keyset to be, and for how long it may believe it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from keyturn.aws.clock import Clock
from keyturn.aws.faults import AwsFault
from keyturn.aws.telemetry import Metric, measure
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import Generation

_UNKNOWN_KID_PAUSE = 5.0  # seconds between reads that an unknown kid can cause
_SPREAD = 0.2  # of C; after a first read, or one that failed, all of C: whoever fell into step


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

    def older_than(self, seconds: float, clock: Clock) -> bool:
        """Whether that is longer ago, by the clock that ran further or was set back."""
        wall = (clock.now() - self.wall).total_seconds()
        return not 0 <= wall <= seconds or clock.monotonic() - self.monotonic > seconds


class KeysetView:
    """A cached generation: fresh for `ttl` seconds (C), usable for `stale_limit` without SSM.

    It never goes back to a lower generation, and a lower one never renews its age. Limits count from
    before the read was sent. It is read again a random while before C is over, so that containers
    born together do not ask together; the one read that this costs may fail, until C is over.
    """

    def __init__(self, reader: Reader, clock: Clock, *, ttl: int, stale_limit: int) -> None:
        self._reader = reader
        self._clock = clock
        self._ttl = ttl
        self._stale_limit = stale_limit
        self._held: Generation | None = None
        self._read: _Instant | None = None
        self._tried: _Instant | None = None
        self._due: float = ttl  # the age at which it is read again, at most C

    def current(self) -> Generation:
        """The generation to act on; raises ViewTooOld, or the fault of the very first read."""
        return self._usable_for(self._stale_limit)

    def refreshed(self) -> Generation:
        """Look again although the view is fresh, at most once in five seconds (unknown kid).

        Raises ViewTooOld when it is not: what we have not seen may exist all the same.
        """
        if self._older_than(_UNKNOWN_KID_PAUSE, self._tried):
            measure(Metric.UNKNOWN_KID_REFRESHES)
            self._refresh()
        if self._older_than(self._ttl, self._read):
            raise ViewTooOld("the keyset cannot be read, and a kid is not in the last one seen")
        return self._generation()

    def for_signing(self) -> Generation:
        """The generation, at most `ttl` old or read in this very call; raises ViewTooOld.

        An issuer never falls back on an older one: its tokens could outlive the key's grace.
        """
        return self._usable_for(self._ttl)

    def reread(self) -> Generation:
        """Look again now; raises ViewTooOld when that cannot be done."""
        if not (self._may_try() and self._refresh()):
            raise ViewTooOld("the keyset cannot be read")
        return self._generation()

    def _usable_for(self, limit: float) -> Generation:
        if self._older_than(self._due, self._read):
            if self._may_look():
                self._refresh()
            if self._older_than(limit, self._read):
                raise ViewTooOld(f"no keyset was read for more than {limit} s")
        return self._generation()

    def _may_look(self) -> bool:
        """Whether nothing was tried since the last read, or C is over and it may be tried again."""
        if self._tried == self._read:
            return True
        return self._older_than(self._ttl, self._read) and self._may_try()

    def _may_try(self) -> bool:
        """Whether the last read, if it failed, is long enough ago to try again."""
        pause = min(self._ttl, _UNKNOWN_KID_PAUSE)
        return self._tried == self._read or self._older_than(pause, self._tried)

    def _older_than(self, seconds: float, instant: _Instant | None) -> bool:
        return instant is None or instant.older_than(seconds, self._clock)

    def _refresh(self) -> bool:
        settled = self._tried == self._read is not None
        sent = self._tried = self._now()
        try:
            seen = self._reader.newer(self._held) if self._held else self._reader.read()
        except (AwsFault, KeysetFault):
            if self._held is None:
                self._tried = None
                raise
            self._tell_age()
            return False
        if self._held is not None and seen.number < self._held.number:
            return False
        self._held, self._read = seen, sent
        self._due = self._ttl * (1 - self._clock.fraction() * (_SPREAD if settled else 1))
        return True

    def _tell_age(self) -> None:
        """Once a failed read, if the view is older than C: a revocation takes that long now."""
        if self._read and self._older_than(self._ttl, self._read):
            age = (self._clock.now() - self._read.wall).total_seconds()
            measure(Metric.VIEW_AGE, max(age, self._ttl))

    def _now(self) -> _Instant:
        return _Instant(self._clock.now(), self._clock.monotonic())

    def _generation(self) -> Generation:
        if self._held is None:
            raise ViewTooOld("no keyset was ever read")
        return self._held
