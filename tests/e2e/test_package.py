"""`make package`, twice: a release that anyone can build again can be checked by anyone."""

import sys
from pathlib import Path

import yaml

from tools.command import run
from tools.release.package import SUMS, package


def test_two_runs_make_the_same_release(tmp_path: Path) -> None:
    """Two builds from nothing have the same checksums, which sha256sum confirms."""
    runtime = f"python3.{sys.version_info.minor}"
    first, second = (package(tmp_path / name, "x86_64", runtime) for name in ("first", "second"))
    assert (first / SUMS).read_text() == (second / SUMS).read_text()
    checked = run("sha256sum", "--check", "--strict", SUMS, cwd=first)
    assert checked.returncode == 0, checked.stdout
    listed = {line.split("  ")[1] for line in (first / SUMS).read_text().splitlines()}
    assert listed == {file.name for file in first.iterdir()} - {SUMS}

    template = yaml.safe_load((first / "template.yaml").read_text())
    named = template["Globals"]["Function"]["CodeUri"]["Key"]["Fn::Sub"]
    assert named.removeprefix("${ArtefactPrefix}") in listed
    wheels = [name for name in listed if name.endswith(".whl")]
    assert len(wheels) == 1
