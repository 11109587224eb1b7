"""`make demo`: Keyturn deploys itself to a local AWS and turns its signing key under load."""

import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.table import Table

from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.local import ToolFailed, Workshop, running
from tests.definition import ROOT
from tools.demo import story
from tools.demo.client import Tally
from tools.demo.rotation import Rotation
from tools.demo.teams import Teams

_GOAL = 120  # seconds from MiniStack's start, on two cores
console = Console(highlight=False)


class Demo:
    """The steps so far, and the figures for `build/demo.json`."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self.figures: dict[str, Any] = {"parameters": dict(story.PARAMETERS)}

    def tell(self, title: str, step: Callable[[], str]) -> None:
        """Make a step and print what came of it."""
        self._tell(title, lambda _status: step())

    def _tell(self, title: str, step: Callable[[Status], str]) -> None:
        began = time.monotonic()
        with console.status(title) as status:
            outcome = step(status)
        seconds = round(time.monotonic() - began, 1)
        self.steps.append({"step": title, "said": outcome, "seconds": seconds})
        console.print(f"[green]✓[/] {title} [dim]({seconds:.1f} s)[/]\n  {outcome}")

    def run(self) -> None:
        """The whole story; raises DoesNotHold, ToolFailed."""
        workshop = Workshop(ROOT, ROOT / "build/demo")

        def build() -> str:
            workshop.build()
            return "one artefact for all functions, from the lock file"

        self.tell("sam build", build)
        began = time.monotonic()
        with running(workshop) as aws:
            console.print(f"  MiniStack listens at {aws.endpoint}")

            def deploy() -> str:
                workshop.deploy(aws, "keyturn", story.PARAMETERS)
                return "the unchanged template.yaml, with small times as parameters"

            self.tell("sam deploy", deploy)
            deployment = Deployment.find("keyturn")
            self._show(deployment, Teams(deployment, workshop, aws))
            seconds = round(time.monotonic() - began, 1)
        self.figures["seconds_from_ministack_start"] = seconds

    def _show(self, deployment: Deployment, teams: Teams) -> None:
        rotation = Rotation(deployment)
        self.tell("The stack comes up", lambda: story.comes_up(deployment))
        self.tell("A token opens the door", lambda: story.lets_in(deployment))
        self.tell("Others can verify it", lambda: story.others_verify(deployment))
        self.tell("A second team arrives", teams.deploy)
        self.tell("Each has what its document says", teams.keep_apart)
        self.tell("A client's tokens are taken back", teams.cut_off_shop)
        try:
            title = "The signing key rotates under load"
            self._tell(title, lambda status: _rotate(title, status, rotation))
            self.tell("A compromised key is revoked during the second wait", rotation.revoked)
            self.tell("Nothing is left behind", rotation.cleans_up)
        finally:
            self.figures |= rotation.figures()
            self.figures["cut_off"] = teams.measurement and asdict(teams.measurement)
            self.figures["kids"] = story.kids(deployment.keyset)

    def report(self, failure: str | None) -> None:
        """The table for people and the file for machines."""
        self.figures |= {"steps": self.steps, "held": failure is None, "failure": failure}
        path = ROOT / "build/demo.json"
        path.write_text(json.dumps(self.figures, indent=2) + "\n")
        if "phases" in self.figures:
            console.print(self._table())
        if failure:
            console.print(f"[red]✗ {failure}[/]")
        else:
            seconds = self.figures["seconds_from_ministack_start"]
            console.print(f"Every step held, {seconds} s from MiniStack's start (goal: {_GOAL} s).")
        console.print(f"Figures: {path.relative_to(ROOT)}")

    def _table(self) -> Table:
        table = Table(title="One rotation, from first state to last")
        for name in ("phase", "seconds", "issued", "accepted", "refused"):
            table.add_column(name, justify="left" if name == "phase" else "right")
        for phase, counts in self.figures["phases"].items():
            seconds = self.figures["seconds_per_state"].get(phase)
            if not (seconds or any(counts.values())):
                continue  # too short to be seen; the file has them all
            duration = "" if seconds is None else f"{seconds:.1f}"
            table.add_row(phase, duration, *(str(count or "") for count in counts.values()))
        return table


def _rotate(title: str, status: Status, rotation: Rotation) -> str:
    """Rotate, with a line of counts: one that changes on a terminal, else one per phase."""
    phases: list[str] = []

    def progress(phase: str, tally: Tally) -> None:
        line = (
            f"{title}: [bold]{phase}[/] - issued {tally.issued.total()}, "
            f"accepted {tally.accepted.total()}, refused {len(tally.refused)}"
        )
        status.update(line)
        if not console.is_terminal and phases[-1:] != [phase]:
            phases.append(phase)
            console.print(f"  … {line}")

    return rotation.run(progress)


def main() -> int:
    """Exit status 0 only if every step held."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    demo = Demo()
    failure: str | None = "interrupted"
    try:
        demo.run()
        failure = None
    except (story.DoesNotHold, ToolFailed) as error:
        failure = str(error)
    except KeyboardInterrupt:
        pass
    finally:
        demo.report(failure)
    return 0 if failure is None else 1


if __name__ == "__main__":
    sys.exit(main())
