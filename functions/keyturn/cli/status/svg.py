"""The timeline as inline SVG: positions in per cent, so that text has its size on every screen."""

from datetime import datetime

from keyturn.cli.formatting import instant, tick
from keyturn.cli.status.phases import KeyPhases, Span, Window

_TICKS = 8
_LANE, _BAR, _AXIS = 38, 16, 30  # heights in pixels


def axis(window: Window, now: datetime) -> str:
    """The dates, and the present; every second date is hidden on a phone."""
    length = window.end - window.start
    here = window.place(now)
    dates = "".join(
        f'<text class="{"minor" if number % 2 else "major"}" x="{_percent(window.place(at))}" '
        f'y="24" text-anchor="middle">{tick(at, length)}</text>'
        for number, at in enumerate(window.ticks(_TICKS))
    )
    return (
        f'<div class="axis"><svg height="{_AXIS}" role="img" aria-label="time">{dates}'
        f'<text class="now" x="{_percent(here)}" y="8" text-anchor="{_anchor(here)}">now</text>'
        "</svg></div>"
    )


def lane(key_phases: KeyPhases, window: Window, now: datetime) -> str:
    """One key: its kid, its spans, its end."""
    grid = "".join(_vertical_line("grid", window.place(at)) for at in window.ticks(_TICKS)[::2])
    spans = "".join(_span(span, window) for span in key_phases.spans if span.end > window.start)
    end = ""
    if key_phases.ended:
        place = _percent(window.place(key_phases.ended))
        end = (
            f'<circle class="end {key_phases.key.state}" cx="{place}" cy="{_LANE / 2}" r="6">'
            f"<title>{key_phases.key.state} {instant(key_phases.ended)}</title></circle>"
        )
    state = key_phases.key.state
    return (
        f'<div class="lane"><div class="who"><span class="kid">{key_phases.key.kid[:8]}</span>'
        f'<span class="state is-{state}">{state}</span></div>'
        f'<svg height="{_LANE}" role="img" aria-label="{key_phases.key.kid[:8]}, {state}">'
        f"{grid}{spans}{end}{_vertical_line('now', window.place(now))}</svg></div>"
    )


def _span(span: Span, window: Window) -> str:
    start, end = window.place(span.start), window.place(span.end)
    planned = " planned" if span.planned else ""
    return (
        f'<rect class="span {span.phase}{planned}" x="{_percent(start)}" '
        f'width="{_percent(end - start)}" y="{(_LANE - _BAR) / 2}" height="{_BAR}" rx="4">'
        f"<title>{span.phase}{planned}: {instant(span.start)} to {instant(span.end)}</title></rect>"
    )


def _vertical_line(kind: str, place: float) -> str:
    at = _percent(place)
    return f'<line class="{kind}" x1="{at}" x2="{at}" y1="0" y2="{_LANE}"/>'


def _percent(place: float) -> str:
    return f"{place * 100:.2f}%"


def _anchor(place: float) -> str:
    if place < 0.05:
        return "start"
    return "end" if place > 0.95 else "middle"
