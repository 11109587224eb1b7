"""docs/performance.svg from build/bench.json; runs where matplotlib is: build/env/bench."""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams.update({"svg.hashsalt": "keyturn", "svg.fonttype": "none", "font.size": 9})

from matplotlib import pyplot as plt  # noqa: E402 - after the choice of a backend

OURS, OTHERS = "#0b6e4f", "#b8c4c2"


def main(report: Path, picture: Path) -> None:
    """Bars: one token, and one cold start, as ratios."""
    rows = [row for row in json.loads(report.read_text())["rows"] if row["ratio"]]
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.2))
    for axis, beginning, title in (
        (axes[0], "One token", "One token, to one bare RSA verification"),
        (axes[1], "Cold start, as the doc", "Cold start, to Node with aws-jwt-verify"),
    ):
        shown = [
            row for row in rows if row["part"].startswith(beginning) and " to " not in row["what"]
        ]
        shown.sort(key=lambda row: -row["ratio"])
        names = [row["what"] for row in shown]
        colours = [OURS if "Keyturn" in name or "issuer, bey" in name else OTHERS for name in names]
        bars = axis.barh(names, [row["ratio"] for row in shown], color=colours)
        labels = [f" {row['ratio']:.2f} ×  {row['absolute']}" for row in shown]
        axis.bar_label(bars, labels, fontsize=8)
        axis.set_title(title, loc="left", fontsize=10)
        axis.set_xlim(0, max(row["ratio"] for row in shown) * 1.35)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
