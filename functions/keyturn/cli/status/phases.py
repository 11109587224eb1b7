"""The phases of keys as spans of time: past ones, and those to come if all goes to plan."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from keyturn.keyset import planning, timing
from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.states import State
from keyturn.keyset.timing import Limits, Times


class Phase(StrEnum):
    """What a key is during a span."""

    CREATED = "created"
    STANDBY = "standby"
    ACTIVE = "active"
    GRACE = "grace"


@dataclass(frozen=True, slots=True)
class Span:
    """A period in one phase; `planned` if it lies in the future."""

    phase: Phase
    start: datetime
    end: datetime
    planned: bool = False


@dataclass(frozen=True, slots=True)
class KeyPhases:
    """A key from its creation to its end."""

    key: Key | EndedKey
    last_live: Key | None  # its last live state; None if that was too long ago
    spans: tuple[Span, ...]

    @property
    def ended(self) -> datetime | None:
        """When it was retired or revoked."""
        return self.key.ended if isinstance(self.key, EndedKey) else None


def list_phases(generations: Iterable[Generation], times: Times, now: datetime) -> list[KeyPhases]:
    """Every key that the latest generation lists, the oldest first."""
    *earlier, latest = generations
    last_live = {
        key.kid: key for generation in (*earlier, latest) for key in generation.keyset.keys
    }
    known = latest.keyset.all_keys
    unsorted = (
        _key_phases(key, last_live.get(key.kid), latest.keyset, times, now) for key in known
    )
    return sorted(unsorted, key=_sort_key)


def _sort_key(key_phases: KeyPhases) -> tuple[datetime, datetime]:
    """By creation, then by the time of activation."""
    first = key_phases.last_live.created if key_phases.last_live else key_phases.ended
    first_signed = key_phases.last_live.activated if key_phases.last_live else None
    latest = datetime.max.replace(tzinfo=first.tzinfo if first else None)
    return first or latest, first_signed or latest


def _key_phases(
    key: Key | EndedKey, last_live: Key | None, keyset: Keyset, times: Times, now: datetime
) -> KeyPhases:
    if isinstance(key, EndedKey):
        spans = _cut_at(_past_spans(last_live, key.ended), key.ended) if last_live else ()
        return KeyPhases(key, last_live, spans)
    split = (
        part for span in _planned_spans(key, keyset, times, now) for part in _split_at(span, now)
    )
    return KeyPhases(key, key, tuple(split))


def _past_spans(key: Key, until: datetime) -> list[Span]:
    """The spans by the key's own instants; the last one lasts until `until`."""
    marks = [
        (Phase.CREATED, key.created),
        (Phase.STANDBY, key.published),
        (Phase.ACTIVE, key.activated),
        (Phase.GRACE, key.superseded),
    ]
    begun = [(phase, at) for phase, at in marks if at is not None]
    ends = [at for _, at in begun[1:]] + [until]
    return [Span(phase, at, end) for (phase, at), end in zip(begun, ends, strict=True) if end > at]


def _planned_spans(key: Key, keyset: Keyset, times: Times, now: datetime) -> list[Span]:
    takeover_at = next_takeover(keyset, times, now)
    match key.state:
        case State.ACTIVE:
            grace = timing.grace_period(times, key.lifetime)
            return [
                *_past_spans(key, takeover_at),
                Span(Phase.GRACE, takeover_at, takeover_at + grace),
            ]
        case State.STANDBY:
            after = takeover_at + timedelta(seconds=times.rotation_period)
            return [*_past_spans(key, takeover_at), Span(Phase.ACTIVE, takeover_at, after)]
        case _:
            return _past_spans(key, key.verify_until or now)


def next_takeover(keyset: Keyset, times: Times, now: datetime) -> datetime:
    """When the standby takes over: when the active key is due and the standby may sign."""
    waits = [now]
    if keyset.active and keyset.active.activated:
        waits.append(timing.due_at(keyset.active.activated, times))
    if keyset.active and keyset.standby and keyset.standby.published:
        takeover = planning.takeover(keyset, keyset.standby.published, times, Limits())
        waits.append(takeover.after)
    return max(waits)


def _cut_at(spans: Iterable[Span], end: datetime) -> tuple[Span, ...]:
    return tuple(replace(span, end=min(span.end, end)) for span in spans if span.start < end)


def _split_at(span: Span, now: datetime) -> list[Span]:
    """Split a span into its past and its planned part."""
    if span.end <= now:
        return [span]
    if span.start >= now:
        return [replace(span, planned=True)]
    return [replace(span, end=now), replace(span, start=now, planned=True)]


@dataclass(frozen=True, slots=True)
class Window:
    """The period that a timeline shows."""

    start: datetime
    end: datetime

    @classmethod
    def around(cls, phases: Iterable[KeyPhases], times: Times, now: datetime) -> "Window":
        """From the first key's creation, at most two periods back, to the end of the next grace."""
        spans = [span for key_phases in phases for span in key_phases.spans]
        grace = [span.end for span in spans if span.phase is Phase.GRACE]
        known = [now, *(span.end for span in spans if not span.planned), *grace]
        earliest = min((span.start for span in spans), default=now)
        period = timedelta(seconds=times.rotation_period)
        start, end = max(earliest, now - 2 * period), max(known)
        margin = max((end - start) * 0.02, timedelta(seconds=1))
        return cls(start - margin, end + 3 * margin)

    def place(self, at: datetime) -> float:
        """An instant's position, from 0 to 1."""
        return min(max((at - self.start) / (self.end - self.start), 0.0), 1.0)

    def ticks(self, count: int) -> list[datetime]:
        """The instants to label with dates, evenly spaced."""
        step = (self.end - self.start) / count
        return [self.start + step * (number + 0.5) for number in range(count)]
