"""The operator's command from its wheel, without the repository, as docs/use-it.md shows it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from keyturn.aws.operator.deployment import Deployment
from tests.definition import ROOT
from tools.command import Completed, run
from tools.release.package import VERSION

UV = ROOT / "build/env/uv/bin/uv"
Installed = Callable[..., Completed]


@pytest.fixture(scope="module")
def keyturn(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The command from a fresh wheel, in an empty environment and an empty directory."""
    place = tmp_path_factory.mktemp("wheel")
    run(UV, "build", "--wheel", "--quiet", "--out-dir", place / "dist", ROOT).check_returncode()
    [wheel] = (place / "dist").glob("*.whl")
    (place / "empty").mkdir()

    def keyturn(*arguments: str) -> Completed:
        command = (UV, "tool", "run", "--isolated", "--from", wheel, "keyturn", *arguments)
        environ = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
        return run(*command, cwd=place / "empty", env=environ)

    return keyturn


def test_it_says_its_version(keyturn: Installed) -> None:
    """`--version` is that of pyproject.toml, which the code does not repeat."""
    assert keyturn("--version").stdout == f"keyturn {VERSION}\n"


def test_a_missing_stack_is_named(keyturn: Installed, deployment: Deployment) -> None:
    """A stack that does not exist is reported in two lines, with exit status 1."""
    assert deployment.stack != "nowhere"
    ran = keyturn("revoke", "--active", "--reason", "x", "--dry-run", "--stack", "nowhere")
    assert ran.returncode == 1
    assert "cloudformation:DescribeStacks: ValidationError" in ran.stderr
    assert len(ran.stderr.splitlines()) == 2


def test_an_operator_needs_no_clone(
    keyturn: Installed, deployment: Deployment, tmp_path: Path
) -> None:
    """Status with its page, the bill, and a revocation up to the consent read nothing but the wheel."""
    page = tmp_path / "page.html"
    status = keyturn("status", "--html", str(page), "--json")
    assert json.loads(status.stdout)["stack"] == deployment.stack
    assert deployment.stack in page.read_text()
    assert json.loads(keyturn("cost", "--json").stdout)["total"] > 0
    revoke = keyturn("revoke", "--active", "--reason", "x", "--dry-run", "--json")
    assert json.loads(revoke.stdout)["dry_run"] is True, revoke.stderr


def test_a_local_stack_needs_the_repository(keyturn: Installed) -> None:
    """`local up` without the repository fails, and says what it needs."""
    ran = keyturn("local", "up")
    assert ran.returncode == 1
    assert "needs Keyturn's repository" in ran.stderr
