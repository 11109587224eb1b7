"""`make soak`: a stack on a local AWS under load, rotations and emergencies for as long as you like.

    python -m tools.soak --minutes 60 --rotations 60 --emergencies 20

Prints a line a minute and a table at the end; build/soak.json holds the figures. Exit status 1 if a
promise was not kept.
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from keyturn.aws.operator.deployment import Deployment
from tests.definition import ROOT
from tools.demo import story
from tools.local_stacks import deployed
from tools.soak.load import Load
from tools.soak.operator import Operator, schedule
from tools.soak.verdict import Line, failures, kinds, verdict
from tools.soak.watch import Watch

PARAMETERS: Mapping[str, object] = {**story.PARAMETERS, "TokenLifetime": 12, "RotationPeriod": 60}
_PATIENCE = 300  # seconds for what runs at the end
console = Console(highlight=False)


def arguments() -> argparse.Namespace:
    """How long, and how much of what."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rotations", type=int, default=60)
    parser.add_argument("--emergencies", type=int, default=20)
    return parser.parse_args()


def progress(minute: int, load: Load, watch: Watch, operator: Operator, refused: int) -> None:
    """One line of what has happened so far."""
    console.print(
        f"{minute:3d} min: {operator.rotations} rotations, {len(operator.commands)} emergencies; "
        f"issued {load.issued:,}, shown {load.shown:,}, valid refused {refused}; "
        f"{watch.generations} generations, document {watch.largest_document} B, "
        f"JWKS {watch.largest_jwks}, now {', '.join(watch.states)}",
        soft_wrap=True,
    )


def soak(deployment: Deployment, options: argparse.Namespace) -> list[Line]:
    """Everything, from the first token to the verdict."""
    load, watch = Load(deployment), Watch(deployment)
    seconds = options.minutes * 60
    actions = schedule(seconds, options.rotations, options.emergencies)
    operator = Operator(deployment, actions, ROOT / "build/soak")
    with watch.running(), load.running():
        began, minute = time.monotonic(), 0
        while (elapsed := time.monotonic() - began) < seconds:
            try:
                operator.act(elapsed)
            except Exception as error:  # tried again at once, and reported at the end
                watch.problems.append(f"{type(error).__name__}: {error}")
            if elapsed >= 60 * (minute + 1):
                minute += 1
                refused = kinds(load, watch, deployment.settings.times)["valid"]
                progress(minute, load, watch, operator, refused)
            time.sleep(0.2)
        unsettled = operator.settle(_PATIENCE)
        time.sleep(2 * deployment.settings.times.view_ttl)
    return verdict(deployment, load, watch, operator, unsettled)


def show(lines: list[Line], failed: list[str]) -> None:
    """The table for people."""
    table = Table()
    for name in ("what", "figure", ""):
        table.add_column(name)
    for line in lines:
        held = {None: "", True: "[green]held[/]", False: "[red]not held[/]"}[line.held]
        table.add_row(line.what, line.figure, held)
    console.print(table)
    for failure in failed:
        console.print(failure, markup=False)


def main() -> int:
    """Bring a stack up, soak it, take it down; returns the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments()
    with deployed("soak", PARAMETERS) as deployment:
        lines = soak(deployment, options)
        failed = failures(deployment)
    show(lines, failed)
    held = all(line.held is not False for line in lines)
    rows = [asdict(line) for line in lines]
    report = {**vars(options), "held": held, "lines": rows, "failed_executions": failed}
    (ROOT / "build/soak.json").write_text(json.dumps(report, indent=1) + "\n")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
