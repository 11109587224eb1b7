"""The contest: every contestant verifies the same tokens, in turns, and its best turn counts."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.definition import ROOT
from tools.bench.rows import Part, Row
from tools.bench.surroundings import ROUTE, environ

HERE = Path(__file__).parent
ARTEFACT = ROOT / "build/env/artefact/bin/python"  # the product's own dependencies, nothing else
PEERS = ROOT / "build/env/bench/bin/python"
TURNS = 40  # the best counts: few are too few on a machine that has something else to do
RAW, ISSUER = "raw pyca verify", "Keyturn issuer"


@dataclass(frozen=True)
class Team:
    """A process with contestants in it."""

    names: tuple[str, ...]
    requests: IO[str]
    answers: IO[str]

    def turn(self, name: str) -> float:
        """Seconds per token."""
        print(name, file=self.requests, flush=True)
        return float(self.answers.readline())


@contextmanager
def team(command: list[str], material: Path) -> Iterator[Team]:
    """Start a process; its first line names its contestants."""
    surroundings = environ() | {"PYTHONPATH": str(ROOT / "functions"), "BENCH_ROUTE": ROUTE}
    with subprocess.Popen(
        [*command, str(material)],
        env=surroundings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin and process.stdout
        yield Team(tuple(json.loads(process.stdout.readline())), process.stdin, process.stdout)
        process.stdin.close()


def measure(material: Path) -> dict[str, float]:
    """The best seconds per token of each contestant, of all turns after one to warm up."""
    contestants = HERE / "contestants"
    commands = (
        [str(ARTEFACT), str(contestants / "ours.py")],
        [str(PEERS), str(contestants / "peers.py")],
        ["node", str(contestants / "peers.mjs")],
    )
    best: dict[str, float] = {}
    with ExitStack() as stack:
        teams = [stack.enter_context(team(command, material)) for command in commands]
        for number in range(TURNS + 1):
            for each in teams:
                for name in each.names:
                    seconds = each.turn(name)
                    if number:
                        best[name] = min(best.get(name, seconds), seconds)
    if best[RAW] > best["Keyturn verify"]:  # which has an RSA verification in it
        raise SystemExit("the bare RSA verification took longer than one with checks: too noisy")
    return best


def rows(best: Mapping[str, float]) -> list[Row]:
    """Ratios to the bare RSA verification, the quickest first, and the goals."""
    part, raw = Part("One token, RSA-2048, ratio to the bare RSA verification"), best[RAW]
    goals = {"Keyturn verify": 1.2, "Keyturn handler, no telemetry": 2.0, "Keyturn handler": 2.2}
    for name, seconds in sorted(best.items(), key=lambda item: item[1]):
        ratio, absolute = seconds / raw, f"{seconds * 1e6:.1f} µs"
        if name in goals:
            part.add_ratio(name, absolute, ratio, at_most=goals[name])
        elif name != ISSUER:
            part.add(name, absolute, ratio)
    node = best["Keyturn verify"] / best["aws-jwt-verify (Node)"]
    part.add("Keyturn verify to aws-jwt-verify", ratio=node, goal="< 1 ×", reached=node < 1)
    microseconds, ratio = best[ISSUER] * 1e6, best[ISSUER] / raw
    part.add(
        "issuer, beyond kms:Sign",
        f"{microseconds:.0f} µs",
        ratio,
        goal="≤ 150 µs",
        reached=microseconds <= 150,
    )
    return part.rows
