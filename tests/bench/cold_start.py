"""Cold starts: from the start of a process to the end of its first decision, AWS answered here."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.contest import ARTEFACT, HERE, PEERS, ROOT
from tests.bench.rows import Row, at_most
from tests.bench.surroundings import environ, rest_token

TURNS = 7
SAMPLE_AUTHORIZER, SAMPLE_ISSUER = "sample authorizer (Python)", "sample issuer (Python)"
AUTHORIZER, ISSUER = "Keyturn authorizer", "Keyturn issuer"
_SCRIPTS = {
    AUTHORIZER: (str(ARTEFACT), "keyturn_authorizer.py"),
    SAMPLE_AUTHORIZER: (str(PEERS), "sample_authorizer.py"),
    ISSUER: (str(ARTEFACT), "keyturn_issuer.py"),
    SAMPLE_ISSUER: (str(PEERS), "sample_issuer.py"),
    "kms:Verify per call (Node)": ("node", "kms_verify.mjs"),
    "aws-jwt-verify, SSM, KMS (Node)": ("node", "aws_jwt_verify.mjs"),
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


def best(material: Path, token: str, *, bytecode: bool) -> dict[str, float]:
    """The best seconds of each, in turns. An artefact has no bytecode unless its build put it in."""
    product = ROOT / "build/bench/functions"
    shutil.rmtree(product, ignore_errors=True)
    shutil.copytree(ROOT / "functions", product, ignore=shutil.ignore_patterns("__pycache__"))
    event = json.dumps(rest_token(token))
    found: dict[str, float] = {}
    with aws(material) as url:
        surroundings = environ() | {"AWS_ENDPOINT_URL": url, "PYTHONPATH": str(product)}
        if bytecode:
            del surroundings["PYTHONDONTWRITEBYTECODE"]
            surroundings["PYTHONPYCACHEPREFIX"] = str(ROOT / "build/bench/bytecode")
        for number in range(TURNS + 1):
            for name, (program, script) in _SCRIPTS.items():
                seconds = _run([program, str(HERE / "cold" / script), event], surroundings)
                if number:
                    found[name] = min(found.get(name, seconds), seconds)
    return found


def _run(command: list[str], surroundings: Mapping[str, str]) -> float:
    began = time.perf_counter()
    with subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        if not any(line == "decided\n" for line in process.stdout):
            raise SystemExit(f"{command[1]} decided nothing")
        return time.perf_counter() - began


def rows(found: Mapping[str, float], kind: str) -> list[Row]:
    """Ratios to the sample-style Python build."""
    part = f"Cold start, {kind}, ratio to the sample-style Python build"

    def absolute(name: str) -> str:
        return f"{found[name] * 1e3:.0f} ms"

    told: list[Any] = []
    for name, sample, limit in (
        (AUTHORIZER, SAMPLE_AUTHORIZER, 0.5),
        (ISSUER, SAMPLE_ISSUER, 0.6),
    ):
        told.append(at_most(part, name, found[name] / found[sample], limit, absolute(name)))
    for name in found.keys() - {AUTHORIZER, ISSUER}:
        base = SAMPLE_ISSUER if name == SAMPLE_ISSUER else SAMPLE_AUTHORIZER
        told.append(Row(part, name, found[name] / found[base], absolute(name)))
    return sorted(told, key=lambda row: row.ratio)


def built_with_bytecode(bare: Mapping[str, float], compiled: Mapping[str, float]) -> list[Row]:
    """What building bytecode in is worth, to the samples as `sam build` leaves them."""
    part = "Cold start, Keyturn with bytecode, ratio to the samples without"
    return [
        Row(part, name, compiled[name] / bare[sample], f"{compiled[name] * 1e3:.0f} ms")
        for name, sample in ((AUTHORIZER, SAMPLE_AUTHORIZER), (ISSUER, SAMPLE_ISSUER))
    ]
