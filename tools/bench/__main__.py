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
from pathlib import Path
from typing import Any

from rich.console import Console

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
from tools.bench.surroundings import CLIENT, CLIENT_PARAMETER, PARAMETER, stored

MATERIAL = contest.ROOT / "build/bench/material.json"
REPORT = contest.ROOT / "build/bench.json"


def tokens() -> list[Row]:
    """Warm: every contestant on the same tokens."""
    return contest.rows(contest.best(_material()))


def cold() -> list[Row]:
    """Cold: as the documented build makes the artefact, and as `sam build` alone does."""
    path = _material()
    token = json.loads(path.read_text())["tokens"][0]
    finished = cold_start.best(path, token, cold_start.built())
    return [
        *cold_start.finished_rows(finished),
        *cold_start.bare_rows(cold_start.best(path, token, None)),
    ]


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


def _material() -> Path:
    made = material.make(MATERIAL)
    texts = {PARAMETER: stored(made["kid"]), CLIENT_PARAMETER: CLIENT}
    by_name = {
        name: {"Name": name, "Value": text, "Version": 1, "LastModifiedDate": time.time()}
        for name, text in texts.items()
    }
    page = {"Parameters": [by_name[PARAMETER]]}
    MATERIAL.write_text(json.dumps({**made, "page": page, "parameters": by_name}))
    return MATERIAL


def _with_other_parts(measured: list[Row]) -> list[dict[str, Any]]:
    """All rows for the report: parts that were not measured now keep the figures of the last one."""
    report = json.loads(REPORT.read_text()) if REPORT.exists() else {"rows": []}
    by_part: dict[str, list[dict[str, Any]]] = {}
    for row in report["rows"]:
        by_part.setdefault(row["part"], []).append(row)
    for part in dict.fromkeys(row.part for row in measured):
        by_part[part] = [row.as_json() for row in measured if row.part == part]
    return [row for rows in by_part.values() for row in rows]


def main(wanted: list[str]) -> int:
    """The parts, a table each, and the file."""
    console, began = Console(highlight=False), time.monotonic()
    found: list[Row] = []
    for name in wanted or PARTS:
        with console.status(name):
            rows = PARTS[name]()
        show(console, rows)
        found += rows
    machine = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
    }
    report = {**machine, "rows": _with_other_parts(found)}
    REPORT.write_text(json.dumps(report, indent=1) + "\n")
    missed = [row for row in found if row.reached is False]
    for row in missed:
        console.print(f"[red]not reached[/]: {row.what}, {' '.join(row.cells()[1:4])} ({row.part})")
    reached = sum(row.reached is True for row in found)
    console.print(
        f"bench: {reached} goals reached, {len(missed)} not; {REPORT.relative_to(contest.ROOT)}; "
        f"{time.monotonic() - began:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
