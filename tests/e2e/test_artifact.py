"""What the documented build makes is what runs: one small folder from the lock file, every handler in it."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from keyturn.cli.local import Workshop
from tests.permissions import roles

MEGABYTES = 50  # unzipped, of which bytecode is 13; Lambda's limit is 250
IMPORT_ALL = """
import importlib, json, sys
sys.path[:] = [sys.argv[1], *(path for path in sys.path if "site-packages" not in path)]
for name in json.loads(sys.argv[2]):
    assert callable(importlib.import_module(name).handler), name
print(json.dumps(sorted({module.__file__ for module in sys.modules.values()
                         if getattr(module, "__file__", None) and "site-packages" in module.__file__})))
"""


@pytest.fixture(scope="module")
def artifact(workshop: Workshop) -> Path:
    """The folder that all functions share."""
    [folder] = [path.parent for path in workshop.built.parent.glob("*/keyturn")]
    return folder


def test_each_handler_can_be_imported_from_it(artifact: Path) -> None:
    """From nothing else: what the artefact lacks would only show in production."""
    modules = json.dumps(sorted(roles.functions().values()))
    ran = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, str(artifact), modules],
        cwd=artifact,
        env={"AWS_DEFAULT_REGION": "us-east-1", "LAMBDA_TASK_ROOT": str(artifact)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == []


def test_it_is_small(artifact: Path) -> None:
    """A cold start unpacks it; tests, the command's own dependencies and other tools are not in it."""
    size = sum(file.stat().st_size for file in artifact.rglob("*") if file.is_file()) / 1e6
    assert size < MEGABYTES
    assert not {"rich", "typer", "pytest", "moto"} & {path.name for path in artifact.iterdir()}


def test_each_module_is_compiled(artifact: Path) -> None:
    """A handler's import compiles nothing: it writes no bytecode, as it finds all of it."""
    missing = [
        path
        for path in (artifact / "keyturn").rglob("*.py")
        if not Path(importlib.util.cache_from_source(str(path))).exists()
    ]
    assert missing == []
