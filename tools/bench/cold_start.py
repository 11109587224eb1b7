"""Cold starts: from the start of a process to the end of its first decision, AWS answered here."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from keyturn.cli.local import Workshop
from tests.definition import ROOT
from tools.bench.contest import ARTEFACT, HERE, PEERS
from tools.bench.rows import Part, Row
from tools.bench.surroundings import environ, rest_token

TURNS = 15  # the best counts, as in contest.py
SAMPLE_AUTHORIZER, SAMPLE_ISSUER = "sample authorizer (Python)", "sample issuer (Python)"
AUTHORIZER, ISSUER = "Keyturn authorizer", "Keyturn issuer"
NODE = "aws-jwt-verify, SSM, KMS (Node)"
_SCRIPTS = {
    AUTHORIZER: (str(ARTEFACT), "keyturn_authorizer.py"),
    SAMPLE_AUTHORIZER: (str(PEERS), "sample_authorizer.py"),
    ISSUER: (str(ARTEFACT), "keyturn_issuer.py"),
    SAMPLE_ISSUER: (str(PEERS), "sample_issuer.py"),
    "kms:Verify per call (Node)": ("node", "kms_verify.mjs"),
    NODE: ("node", "aws_jwt_verify.mjs"),
}


@contextmanager
def aws(material: Path) -> Iterator[str]:
    """The stub; its URL."""
    command = [str(ARTEFACT), str(HERE / "aws_stub.py"), str(material)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def built() -> Path:
    """The artefact as the documented commands make it for this machine."""
    return Workshop(ROOT, ROOT / "build/bench").build().folder


def measure(material: Path, artefact: Path | None) -> dict[str, float]:
    """The best seconds of each, in turns: ours from the artefact, or from sources as `sam build` leaves them.

    The samples have bytecode if ours has.
    """
    token = json.loads(material.read_text())["tokens"][0]
    event = json.dumps(rest_token(token))
    best: dict[str, float] = {}
    with aws(material) as url:
        surroundings = environ() | {"AWS_ENDPOINT_URL": url, "PYTHONPATH": str(_sources())}
        if artefact:
            del surroundings["PYTHONDONTWRITEBYTECODE"]
            surroundings["PYTHONPYCACHEPREFIX"] = str(ROOT / "build/bench/bytecode")
        for number in range(TURNS + 1):
            for name, (program, script) in _SCRIPTS.items():
                command, own = [program, str(HERE / "cold" / script), event], surroundings
                if artefact and name in (AUTHORIZER, ISSUER):  # nothing from elsewhere
                    command = [program, "-S", *command[1:]]
                    own = environ() | {"AWS_ENDPOINT_URL": url, "PYTHONPATH": str(artefact)}
                seconds = _run(command, own)
                if number:
                    best[name] = min(best.get(name, seconds), seconds)
    return best


def _sources() -> Path:
    product = ROOT / "build/bench/functions"
    shutil.rmtree(product, ignore_errors=True)
    shutil.copytree(ROOT / "functions", product, ignore=shutil.ignore_patterns("__pycache__"))
    return product


def _run(command: list[str], surroundings: Mapping[str, str]) -> float:
    began = time.perf_counter()
    with subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        if not any(line == "decided\n" for line in process.stdout):
            raise SystemExit(f"{command[1]} decided nothing")
        return time.perf_counter() - began


def finished_rows(best: Mapping[str, float]) -> list[Row]:
    """Ratios to Node with aws-jwt-verify, which keeps its keys as we do; then to samples with bytecode, too."""
    part = Part("Cold start, as the documented build makes it, ratio to Node with aws-jwt-verify")
    for name, seconds in sorted(best.items(), key=lambda item: item[1]):
        ratio, absolute = seconds / best[NODE], f"{seconds * 1e3:.0f} ms"
        if name == AUTHORIZER:
            part.add_ratio(name, absolute, ratio, at_most=1.0)
        else:
            part.add(name, absolute, ratio)
    for ours, sample, limit in ((AUTHORIZER, SAMPLE_AUTHORIZER, 0.5), (ISSUER, SAMPLE_ISSUER, 0.6)):
        part.add_ratio(f"{ours} to {sample}", "", best[ours] / best[sample], at_most=limit)
    return part.rows


def bare_rows(best: Mapping[str, float]) -> list[Row]:
    """Ratios to the sample-style Python build: what it costs to leave the second command out."""
    part = Part(
        "Cold start after `sam build` alone, no bytecode, ratio to the sample-style Python build"
    )
    for name, seconds in best.items():
        sample = best[SAMPLE_ISSUER if "issuer" in name else SAMPLE_AUTHORIZER]
        part.add(name, f"{seconds * 1e3:.0f} ms", seconds / sample)
    return sorted(part.rows, key=lambda row: row.ratio or 0)
