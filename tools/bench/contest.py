"""The contest: every contestant verifies the same tokens, in turns, and its best turn counts."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tools.bench.rows import Row, at_most
from tools.bench.surroundings import ROUTE, environ

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
ARTEFACT = ROOT / "build/env/artefact/bin/python"  # the product's own dependencies, nothing else
PEERS = ROOT / "build/env/bench/bin/python"
TURNS = 40  # the best counts: few are too few on a machine that has something else to do
RAW = "raw pyca verify"


@dataclass(frozen=True)
class Team:
    """A process with contestants in it."""

    names: tuple[str, ...]
    asks: IO[str]
    answers: IO[str]

    def turn(self, name: str) -> float:
        """Seconds a token."""
        print(name, file=self.asks, flush=True)
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


def best(material: Path) -> dict[str, float]:
    """The best seconds a token of each contestant, of all turns after one to warm up."""
    contestants = HERE / "contestants"
    commands = (
        [str(ARTEFACT), str(contestants / "ours.py")],
        [str(PEERS), str(contestants / "peers.py")],
        ["node", str(contestants / "peers.mjs")],
    )
    found: dict[str, float] = {}
    with ExitStack() as stack:
        teams = [stack.enter_context(team(command, material)) for command in commands]
        for number in range(TURNS + 1):
            for each in teams:
                for name in each.names:
                    seconds = each.turn(name)
                    if number:
                        found[name] = min(found.get(name, seconds), seconds)
    if found[RAW] > found["Keyturn verify"]:  # which has an RSA verification in it
        raise SystemExit("the bare RSA verification took longer than one with checks: too noisy")
    return found


def rows(found: Mapping[str, float]) -> list[Row]:
    """Ratios to the bare RSA verification, the quickest first, and the goals."""
    part, raw = "One token, RSA-2048, ratio to the bare RSA verification", found[RAW]
    goals = {
        "Keyturn verify": 1.2,
        "Keyturn handler, no telemetry": 2.0,
        "Keyturn handler": 2.2,
    }
    told = []
    for name, seconds in sorted(found.items(), key=lambda item: item[1]):
        ratio, absolute = seconds / raw, f"{seconds * 1e6:.1f} µs"
        if name in goals:
            told.append(at_most(part, name, ratio, goals[name], absolute))
        elif name != "Keyturn issuer":
            told.append(Row(part, name, ratio, absolute))
    node = found["Keyturn verify"] / found["aws-jwt-verify (Node)"]
    told.append(Row(part, "Keyturn verify to aws-jwt-verify", node, "", "< 1 ×", node < 1))
    issuer = found["Keyturn issuer"] * 1e6
    told.append(
        Row(
            part,
            "issuer, beyond kms:Sign",
            issuer / 1e6 / raw,
            f"{issuer:.0f} µs",
            "≤ 150 µs",
            issuer <= 150,
        )
    )
    return told
