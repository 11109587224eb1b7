"""What `make setup` runs: pinned tools, and no code that a package brings to be run at its installation."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALLATIONS = re.findall(r"npm (?:ci|install)\b.*", (ROOT / "Makefile").read_text())
LOCKS = [
    lock
    for lock in ROOT.glob("**/package-lock.json")
    if not {"node_modules", "build"} & {*lock.parts}
]


def test_npm_runs_no_script_of_a_package():
    """Whoever takes over one of a thousand packages would run code with the developer's credentials."""
    assert INSTALLATIONS
    assert [line for line in INSTALLATIONS if "--ignore-scripts" not in line] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_every_package_of_npm_has_its_hash(lock):
    """So that what is installed is what was looked at."""
    packages = json.loads(lock.read_text())["packages"]
    assert [name for name, one in packages.items() if name and "integrity" not in one] == []
