"""What the artefact is built from: the project's own versions, each file known by its hash."""

import re
import tomllib

from tests.definition import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LINES = (ROOT / "functions/requirements.txt").read_text().replace("\\\n", " ").splitlines()


def test_every_file_is_known_by_its_hash() -> None:
    """uv checks the hashes of a requirement that has some, and of no other.

    Source: uv's reference, `uv pip install --verify-hashes`.
    """
    assert LINES
    assert all(re.search(r" --hash=sha256:[0-9a-f]{64}( |$)", line) for line in LINES)


def test_the_functions_have_the_projects_versions() -> None:
    """The group `artefact` names packages, the project their versions, and the lock file holds both to one."""
    shipped = {line.split(" ")[0] for line in LINES}
    pins = dict(pin.split("==") for pin in PROJECT["project"]["dependencies"])
    assert {f"{name}=={pins[name]}" for name in PROJECT["dependency-groups"]["artefact"]} <= shipped


def test_the_commands_own_dependencies_do_not_ship() -> None:
    """No library that draws tables ships either."""
    names = {line.split("==")[0] for line in LINES}
    assert names.isdisjoint({"rich", "typer", "awscrt"})
