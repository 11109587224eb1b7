"""The figures of a bench: ratio first, and whether a goal is reached."""

from dataclasses import dataclass, field

from rich.console import Console
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

    def cells(self) -> tuple[str, str, str, str, str]:
        """What, ratio, absolute, goal, verdict."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} ×"
        verdict = {None: "", True: "reached", False: "not reached"}[self.reached]
        return self.what, ratio, self.absolute, self.goal, verdict


@dataclass
class Part:
    """The rows below one heading."""

    heading: str
    rows: list[Row] = field(default_factory=list)

    def add(
        self,
        what: str,
        absolute: str = "",
        ratio: float | None = None,
        goal: str = "",
        reached: bool | None = None,
    ) -> None:
        """A figure; `reached` says whether it meets the goal."""
        self.rows.append(Row(self.heading, what, ratio, absolute, goal, reached))

    def add_ratio(self, what: str, absolute: str, ratio: float, at_most: float) -> None:
        """A figure whose goal is a ratio."""
        self.add(what, absolute, ratio, f"≤ {at_most} ×", ratio <= at_most)


def show(console: Console, rows: list[Row]) -> None:
    """Print one table per part."""
    for part in dict.fromkeys(row.part for row in rows):
        table = Table(title=part, title_justify="left", title_style="bold")
        for name in ("what", "ratio", "absolute", "goal", ""):
            table.add_column(name, justify="right" if name in ("ratio", "absolute") else "left")
        for row in rows:
            if row.part == part:
                colour = {None: None, True: "green", False: "red"}[row.reached]
                table.add_row(*row.cells(), style=colour)
        console.print(table)
