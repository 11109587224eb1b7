"""What a bench has to say: figures, ratio first, and whether a goal is reached."""

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console, JustifyMethod
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One line: a ratio (to what the part says), an absolute figure, and the goal if there is one."""

    part: str
    what: str
    ratio: float | None
    absolute: str
    goal: str = ""
    reached: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """For `build/bench.json`."""
        return asdict(self)

    def cells(self) -> tuple[str, str, str, str, str]:
        """What, ratio, absolute, goal, verdict."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} ×"
        verdict = {None: "", True: "reached", False: "not reached"}[self.reached]
        return self.what, ratio, self.absolute, self.goal, verdict


def at_most(part: str, what: str, ratio: float, limit: float, absolute: str) -> Row:
    """A row whose goal is a ratio."""
    return Row(part, what, ratio, absolute, f"≤ {limit} ×", ratio <= limit)


_COLUMNS: tuple[tuple[str, JustifyMethod], ...] = (
    ("what", "left"),
    ("ratio", "right"),
    ("absolute", "right"),
    ("goal", "left"),
    ("", "left"),
)


def show(console: Console, rows: list[Row]) -> None:
    """One table a part."""
    for part in dict.fromkeys(row.part for row in rows):
        table = Table(title=part, title_justify="left", title_style="bold")
        for name, justify in _COLUMNS:
            table.add_column(name, justify=justify)
        for row in rows:
            if row.part == part:
                colour = {None: None, True: "green", False: "red"}[row.reached]
                table.add_row(*row.cells(), style=colour)
        console.print(table)
