"""A container's cached view of the keyset, a client or an API, and for how long it may be used."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from keyturn.aws.clock import Clock
from keyturn.aws.faults import AwsFault
from keyturn.aws.keyset.reader import GenerationLost
from keyturn.aws.telemetry import Metric, measure
from keyturn.keyset.errors import KeysetFault

_SPREAD = 0.2  # of C; all of C after a first or failed read, which many do at once
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 5.0  # seconds; bounds of the pause after a failed read


T = TypeVar("T")


class ViewTooOld(KeysetFault):
    """The keyset or document could not be read for too long: fail closed."""


class Reader(Protocol[T]):
    """What a view needs from the store."""

    def read(self) -> T:
        """What counts now."""
        ...

    def read_newer(self, previous: T) -> T:
        """The newest that follows `previous`; raises GenerationLost."""
        ...


@dataclass(frozen=True, slots=True)
class _Instant:
    """A time on both clocks: a frozen container's monotonic clock may stand still."""

    wall: datetime
    monotonic: float

    def age(self, clock: Clock) -> float:
        """Seconds since then, by the clock that has advanced further."""
        return max((clock.now() - self.wall).total_seconds(), clock.monotonic() - self.monotonic)

    def older_than(self, seconds: float, clock: Clock) -> bool:
        """Whether it is longer ago, or that is unknown because the wall clock was set back."""
        return self.age(clock) > seconds or clock.now() < self.wall


@dataclass(frozen=True, slots=True)
class _Entry(Generic[T]):
    """The value read, and when the read was sent."""

    value: T
    sent: _Instant


class View(Generic[T]):
    """A cached generation or document: fresh for `ttl` (C), usable for `stale_limit` seconds.

    It never goes back: while the cached value is usable, a new value must follow it. Ages count
    from before the read was sent. The view is refreshed at a random time before C is over, so that
    containers that started together do not read together. After a failed read the view pauses for a
    random time, with a bound that doubles each time, whatever the requests: neither traffic nor
    junk tokens determine the rate of reads.
    """

    def __init__(self, reader: Reader[T], clock: Clock, *, ttl: int, stale_limit: int) -> None:
        self._reader = reader
        self._clock = clock
        self._ttl = ttl
        self._stale_limit = stale_limit
        self._entry: _Entry[T] | None = None
        self._due: float = ttl  # the age at which it is read again, at most C
        self._failed_at: _Instant | None = None
        self._longest_pause = 0.0  # 0 unless the last read failed
        self._pause = 0.0

    def get(self) -> T:
        """The value, at most `stale_limit` old; raises ViewTooOld, or the fault of a first read."""
        return self._fresh_within(self._stale_limit)

    def get_fresh(self) -> T:
        """The value, at most `ttl` old; raises ViewTooOld, or the fault of a first read.

        An issuer must not use an older value: its tokens could outlive the key's grace period. Nor
        may an authorizer report an unknown kid by an older one: the key may have been published
        since.
        """
        return self._fresh_within(self._ttl)

    def reread(self) -> T:
        """The value, read now because KMS refuses the active key; raises ViewTooOld during a pause.

        A read that returns nothing new is followed by a pause, like a failed read.
        """
        previous, longest_pause = self._entry, self._longest_pause
        if not (self._may_read() and self._refresh()):
            raise ViewTooOld("the read failed, or one a moment ago failed or showed nothing new")
        value = self._value()
        if previous and previous.value == value:
            self._longest_pause = longest_pause
            self._back_off()
        return value

    def _fresh_within(self, limit: float) -> T:
        if self._is_older_than(self._due):
            if self._may_read():
                self._refresh()
            if self._is_older_than(limit):
                raise ViewTooOld(f"nothing was read within the last {limit} s")
        return self._value()

    def _may_read(self) -> bool:
        return self._failed_at is None or self._failed_at.older_than(self._pause, self._clock)

    def _is_older_than(self, seconds: float) -> bool:
        return self._entry is None or self._entry.sent.older_than(seconds, self._clock)

    def _refresh(self) -> bool:
        sent = self._now()
        try:
            latest = self._read()
        except (AwsFault, KeysetFault):
            self._back_off()
            if self._entry is None:
                raise
            self._measure_age()
            return False
        is_settled = self._entry is not None and not self._longest_pause
        self._due = self._ttl * (1 - self._clock.fraction() * (_SPREAD if is_settled else 1))
        self._entry, self._longest_pause = _Entry(latest, sent), 0.0
        return True

    def _read(self) -> T:
        """The successor of the cached value, or simply what counts if no usable value is cached."""
        if self._entry is None:
            return self._reader.read()
        try:
            return self._reader.read_newer(self._entry.value)
        except GenerationLost:
            if self._entry.sent.age(self._clock) <= self._stale_limit:
                raise
            return self._reader.read()

    def _back_off(self) -> None:
        """Exponential backoff with full jitter: containers that failed together retry apart.

        A view that is still fresh does not retry, so that SSM can serve older ones first.
        """
        longest = max(_FIRST_PAUSE, 2 * self._longest_pause)
        self._longest_pause = min(longest, _LONGEST_PAUSE, self._ttl)
        self._pause = self._longest_pause * self._clock.fraction()
        self._due, self._failed_at = self._ttl, self._now()

    def _measure_age(self) -> None:
        """Measure, once per failed read, a view older than C: a revocation now takes that long."""
        if self._entry and self._is_older_than(self._ttl):
            age = (self._clock.now() - self._entry.sent.wall).total_seconds()
            measure(Metric.VIEW_AGE, max(age, self._ttl))

    def _now(self) -> _Instant:
        return _Instant(self._clock.now(), self._clock.monotonic())

    def _value(self) -> T:
        if self._entry is None:
            raise ViewTooOld("nothing was ever read")
        return self._entry.value
