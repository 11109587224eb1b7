"""What `make setup` runs: pinned tools, and no code that a package brings to be run at its installation."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.template import TEMPLATE

ROOT = Path(__file__).parents[2]
INSTALLATIONS = re.findall(r"npm (?:ci|install)\b.*", (ROOT / "Makefile").read_text())
LOCKS = [
    lock
    for lock in ROOT.glob("**/package-lock.json")
    if not {"node_modules", "build"} & {*lock.parts}
]


def test_npm_runs_no_script_of_a_package():
    """npm runs no install scripts, so a hijacked package cannot use the developer's credentials."""
    assert INSTALLATIONS
    assert [line for line in INSTALLATIONS if "--ignore-scripts" not in line] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_every_package_of_npm_has_its_hash(lock):
    """What is installed is what was reviewed."""
    packages = json.loads(lock.read_text())["packages"]
    assert [name for name, one in packages.items() if name and "integrity" not in one] == []


def test_the_workflow_runs_everything_on_the_oldest_and_the_functions_python():
    """The workflow runs `.ci/run`, pins actions by their commit, and may only read."""
    [workflow] = (ROOT / ".github/workflows").iterdir()
    ci = yaml.safe_load(workflow.read_text())
    [job] = ci["jobs"].values()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest = project["requires-python"].removeprefix(">=")
    newest = TEMPLATE["Parameters"]["PythonRuntime"]["Default"].removeprefix("python")
    assert job["strategy"]["matrix"]["python"] == [oldest, newest]
    assert (ROOT / ".python-version").read_text().strip() == oldest
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one)] == []
    assert ci["permissions"] == {"contents": "read"}


def test_what_git_runs_before_a_commit_is_what_make_lint_runs():
    """The pre-commit hook runs the same commands as `make lint`."""
    lint = (ROOT / "Makefile").read_text().partition("\nlint: setup\n")[2].partition("\n\n")[0]
    [repo] = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    entries = [hook["entry"].replace(".venv/bin", "$(BIN)") for hook in repo["hooks"]]
    assert len(entries) == 5
    assert set(entries) <= {line.strip() for line in lint.splitlines()}
    assert {hook["language"] for hook in repo["hooks"]} == {"system"}


def test_dependencies_are_updated_where_they_are_pinned():
    """Dependabot watches each lock file and the workflow."""
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    watched = {
        (one["package-ecosystem"], folder)
        for one in updates
        for folder in one.get("directories", [one.get("directory")])
    }
    npm = {("npm", f"/{lock.parent.relative_to(ROOT)}") for lock in LOCKS}
    assert watched == {("uv", "/"), ("github-actions", "/"), *npm}
