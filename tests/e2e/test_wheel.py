"""The operator's command from its wheel, without the repository, as docs/use-it.md shows it."""

import json
import os
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from keyturn.aws.operator.deployment import Deployment
from tests.e2e.conftest import ROOT

UV = ROOT / "build/env/uv/bin/uv"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
Installed = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def keyturn(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The command from a fresh wheel, in an empty environment and an empty directory."""
    place = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [str(UV), "build", "--wheel", "--quiet", "--out-dir", str(place / "dist"), str(ROOT)],
        check=True,
    )
    [wheel] = (place / "dist").glob("*.whl")
    (place / "empty").mkdir()

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(UV), "tool", "run", "--isolated", "--from", str(wheel), "keyturn", *arguments],
            cwd=place / "empty",
            env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_it_says_its_version(keyturn: Installed) -> None:
    """The version of pyproject.toml, which is written nowhere in the code."""
    assert keyturn("--version").stdout == f"keyturn {PROJECT['version']}\n"


def test_a_missing_stack_is_named(keyturn: Installed, deployment: Deployment) -> None:
    """Two lines and exit status 1."""
    assert deployment.stack != "nowhere"
    ran = keyturn("revoke", "--active", "--reason", "x", "--dry-run", "--stack", "nowhere")
    assert ran.returncode == 1
    assert "cloudformation:DescribeStacks: ValidationError" in ran.stderr
    assert len(ran.stderr.splitlines()) == 2


def test_an_operator_needs_no_clone(
    keyturn: Installed, deployment: Deployment, tmp_path: Path
) -> None:
    """Status with its page, the bill, and a revocation up to the consent: all that it reads is in the wheel."""
    page = tmp_path / "page.html"
    status = keyturn("status", "--html", str(page), "--json")
    assert json.loads(status.stdout)["stack"] == deployment.stack
    assert deployment.stack in page.read_text()
    assert json.loads(keyturn("cost", "--json").stdout)["total"] > 0
    revoke = keyturn("revoke", "--active", "--reason", "x", "--dry-run", "--json")
    assert json.loads(revoke.stdout)["dry_run"] is True, revoke.stderr


def test_a_local_stack_needs_the_repository(keyturn: Installed) -> None:
    """And says so."""
    ran = keyturn("local", "up")
    assert ran.returncode == 1
    assert "needs Keyturn's repository" in ran.stderr
