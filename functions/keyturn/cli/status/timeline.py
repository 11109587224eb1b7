"""The timeline as text: one lane per key, one cell per interval."""

from rich.text import Text

from keyturn.cli.formatting import tick
from keyturn.cli.status.phases import KeyPhases, Phase, Window
from keyturn.keyset.states import State

LABEL = 10  # cells: the beginning of a kid, and space
_CELLS = {  # past, planned, and the style of both
    Phase.CREATED: ("·", "·", "dim"),
    Phase.STANDBY: ("─", "╌", "cyan"),
    Phase.ACTIVE: ("━", "╍", "bold green"),
    Phase.GRACE: ("▒", "░", "yellow"),
}
_ENDS = {State.RETIRED: ("■", "dim"), State.REVOKED: ("×", "bold red")}
LEGEND = Text.assemble(
    " " * LABEL,
    ("─", "cyan"),
    " standby  ",
    ("━", "bold green"),
    " active  ",
    ("▒", "yellow"),
    " grace  ",
    ("■", "dim"),
    " retired  ",
    ("×", "bold red"),
    " revoked  ",
    ("╌╍░", "dim"),
    " planned",
)


def timeline(phases: list[KeyPhases], window: Window, now: float, width: int) -> list[Text]:
    """Lines of `width` cells: now, one lane per key, dates. `now` is its position in the window."""
    cells = max(width - LABEL, 10)
    marker = round(now * (cells - 1))
    lanes = [_lane(key_phases, window, marker, cells) for key_phases in phases]
    return [_now(marker, cells), *lanes, _dates(window, cells), LEGEND]


def _lane(key_phases: KeyPhases, window: Window, marker: int, cells: int) -> Text:
    lane: list[tuple[str, str]] = [("│" if cell == marker else " ", "dim") for cell in range(cells)]
    for span in key_phases.spans:
        past, planned, style = _CELLS[span.phase]
        first = _cell(window.place(span.start), cells)
        last = max(_cell(window.place(span.end), cells), first + 1)
        for cell in range(first, min(last, cells)):
            lane[cell] = (
                planned if span.planned else past,
                f"dim {style}" if span.planned else style,
            )
    if key_phases.ended:
        lane[_cell(window.place(key_phases.ended), cells)] = _ENDS[key_phases.key.state]
    return Text.assemble(f"{key_phases.key.kid[:8]:{LABEL}}", *lane)


def _cell(place: float, cells: int) -> int:
    return min(int(place * cells), cells - 1)


def _now(marker: int, cells: int) -> Text:
    """The label of now, which ends or begins at its position, whichever fits."""
    word = "now ▾" if marker >= 4 else "▾ now"
    start = marker - 4 if marker >= 4 else marker
    return Text(f"{'':{LABEL}}{'':{start}}{word}"[: LABEL + cells])


def _dates(window: Window, cells: int) -> Text:
    count = max(cells // 14, 2)
    line = [" "] * cells
    for at in window.ticks(count):
        label = tick(at, window.end - window.start)
        start = min(max(round(window.place(at) * cells) - len(label) // 2, 0), cells - len(label))
        line[start : start + len(label)] = label
    return Text(" " * LABEL + "".join(line), style="dim")
