"""`make bench`: what a token costs, how a container starts, what AWS is asked, what it all costs.

    python -m tools.bench            all of it
    python -m tools.bench tokens     one part: tokens refusals cutoffs logs cold fleet memory cost load

Ends with the goals that are not reached; build/bench.json holds the figures. Nothing here is a test:
the exit status is 0 however fast the machine is.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rich.console import Console

from tests.definition import ROOT
from tools.bench import (
    cold_start,
    contest,
    cost,
    cutoffs,
    fleet,
    load,
    logs,
    many_apis,
    material,
    memory,
    refusals,
)
from tools.bench.rows import Row, show

REPORT = ROOT / "build/bench.json"


def tokens() -> list[Row]:
    """Warm: every contestant on the same tokens."""
    return contest.rows(contest.measure(material.write()))


def cold() -> list[Row]:
    """Cold: as the documented build makes the artefact, and as `sam build` alone does."""
    path = material.write()
    finished = cold_start.measure(path, cold_start.built())
    bare = cold_start.measure(path, None)
    return [*cold_start.finished_rows(finished), *cold_start.bare_rows(bare)]


PARTS: dict[str, Callable[[], list[Row]]] = {
    "tokens": tokens,
    "refusals": refusals.rows,
    "cutoffs": cutoffs.rows,
    "logs": logs.rows,
    "cold": cold,
    "fleet": lambda: [*fleet.rows(), *many_apis.rows()],
    "memory": memory.rows,
    "cost": cost.rows,
    "load": load.rows,
}


def _with_other_parts(rows: list[Row]) -> list[dict[str, Any]]:
    """All rows for the report: parts that were not measured now keep the figures of the last run."""
    report = json.loads(REPORT.read_text()) if REPORT.exists() else {"rows": []}
    by_part: dict[str, list[dict[str, Any]]] = {}
    for row in report["rows"]:
        by_part.setdefault(row["part"], []).append(row)
    for part in dict.fromkeys(row.part for row in rows):
        by_part[part] = [asdict(row) for row in rows if row.part == part]
    return [row for part in by_part.values() for row in part]


def main(names: list[str]) -> int:
    """Measure these parts, or all; print a table each, and write the file."""
    console, began = Console(highlight=False), time.monotonic()
    rows: list[Row] = []
    for name in names or PARTS:
        with console.status(name):
            part = PARTS[name]()
        show(console, part)
        rows += part
    report = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "rows": _with_other_parts(rows),
    }
    REPORT.write_text(json.dumps(report, indent=1) + "\n")
    missed = [row for row in rows if row.reached is False]
    for row in missed:
        console.print(f"[red]not reached[/]: {row.what}, {' '.join(row.cells()[1:4])} ({row.part})")
    reached = sum(row.reached is True for row in rows)
    console.print(
        f"bench: {reached} goals reached, {len(missed)} not; {REPORT.relative_to(ROOT)}; "
        f"{time.monotonic() - began:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
