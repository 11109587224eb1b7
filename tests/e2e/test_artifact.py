"""The artefact of the documented build: one small folder from the lock file, with every handler."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from keyturn.cli.local import Workshop
from tests.permissions import roles
from tools.command import run

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
    """No handler imports anything from outside the artefact: a missing module would only show in production."""
    modules = json.dumps(sorted(roles.functions().values()))
    environ = {"AWS_DEFAULT_REGION": "us-east-1", "LAMBDA_TASK_ROOT": str(artifact)}
    ran = run(sys.executable, "-c", IMPORT_ALL, artifact, modules, cwd=artifact, env=environ)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == []


def test_it_is_small(artifact: Path) -> None:
    """The artefact is small, and has neither tests nor the dependencies of the command or of other tools."""
    size = sum(file.stat().st_size for file in artifact.rglob("*") if file.is_file()) / 1e6
    assert size < MEGABYTES
    assert not {"rich", "typer", "pytest", "moto"} & {path.name for path in artifact.iterdir()}


def test_each_module_is_compiled(artifact: Path) -> None:
    """Every module has its bytecode in the artefact, so that no cold start compiles one."""
    missing = [
        path
        for path in (artifact / "keyturn").rglob("*.py")
        if not Path(importlib.util.cache_from_source(str(path))).exists()
    ]
    assert missing == []
