"""`make bench-docs`: the tables of docs/performance.md and its plot, from build/bench.json."""

import json
import subprocess

from tests.definition import ROOT
from tools.bench.__main__ import REPORT
from tools.bench.contest import HERE, PEERS
from tools.bench.rows import Row

PAGE, PICTURE = ROOT / "docs/performance.md", ROOT / "docs/performance.svg"
BEGIN, END = "<!-- figures: make bench-docs -->\n", "<!-- end of figures -->"


def main() -> None:
    """Put what was measured between the marks."""
    report = json.loads(REPORT.read_text())
    rows = [Row(**row) for row in report["rows"]]
    text = PAGE.read_text()
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    origin = f"Latest part: {report['at'][:10]}, Python {report['python']}, {report['machine']}.\n"
    tables = "\n".join(_table(part, rows) for part in dict.fromkeys(row.part for row in rows))
    PAGE.write_text(f"{before}{BEGIN}{origin}\n{tables}{END}{after}")
    subprocess.run([PEERS, HERE / "plot.py", REPORT, PICTURE], check=True)


def _table(part: str, rows: list[Row]) -> str:
    lines = [f"**{part}**\n", "| | ratio | | goal | |", "|---|--:|--:|---|---|"]
    lines += [f"| {' | '.join(row.cells())} |" for row in rows if row.part == part]
    return "\n".join([*lines, "", ""])


if __name__ == "__main__":
    main()
