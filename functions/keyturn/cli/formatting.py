"""Instants, durations, cut-offs and tables, formatted for people and for programs."""

from datetime import UTC, datetime, timedelta

from rich.table import Table

from keyturn.keyset.cutoffs import CutOff

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def duration(length: timedelta) -> str:
    """A duration in its two largest units: `29 d 23 h`, `4 min 10 s`."""
    remaining = abs(round(length.total_seconds()))
    parts: list[str] = []
    for unit, seconds in _UNITS:
        count, remaining = divmod(remaining, seconds)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(filter(None, parts)) or "0 s"


def relative(at: datetime, now: datetime) -> str:
    """`in 29 d 23 h`, `3 min ago`."""
    if abs(at - now) < timedelta(seconds=0.5):
        return "now"
    return f"in {duration(at - now)}" if at > now else f"{duration(now - at)} ago"


def instant(at: datetime | None) -> str:
    """`2026-12-24 04:00:12Z`; a dash for None."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if at else "–"


def iso(at: datetime | None) -> str | None:
    """An instant as in `--json`: RFC 3339 with Z and whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def cutoff_members(cutoff: CutOff) -> dict[str, str | None]:
    """A cut-off as in `--json`; `until` is null while a client is blocked."""
    return {
        "claim": cutoff.claim.value,
        "digest": cutoff.digest,
        "issued_before": iso(cutoff.before),
        "until": iso(cutoff.until),
    }


def tick(at: datetime, window: timedelta) -> str:
    """A date or a time of day, whichever distinguishes neighbouring ticks."""
    if window > timedelta(days=4):
        return at.strftime("%d %b")
    return at.strftime("%H:%M" if window > timedelta(hours=1) else "%H:%M:%S")


def count(number: int, noun: str) -> str:
    """`1 finding`, `2 findings`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def table(*columns: str, no_wrap: bool = False) -> Table:
    """An empty table without lines."""
    empty = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        empty.add_column(column, no_wrap=no_wrap)
    return empty
