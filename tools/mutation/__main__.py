"""`make mutation`: which changes of the core's code do its tests notice?

mutmut changes `keyset/` and `tokens/` one operator at a time and runs the fast tests against each. It
knows no import root but `src`, so the code is copied there. `python -m tools.mutation` wants mutmut.
"""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

FOLDER = Path("build/mutation")
WANTED = 0.9
PACKAGES = ("keyset", "tokens")
SETTINGS = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/keyturn/keyset/*", "src/keyturn/tokens/*"]
pytest_add_cli_args_test_selection = [
    "tests/unit/keyset", "tests/unit/tokens", "tests/vectors/test_vectors.py",
]
"""


def main() -> int:
    """Change, test, count; returns the exit status."""
    _copy()
    subprocess.run([_mutmut(), "run", "--max-children", "2"], cwd=FOLDER, check=True)
    verdicts = dict(_verdicts())
    for name, verdict in verdicts.items():
        if verdict != "killed":
            print(f"{verdict}: {name}   (cd {FOLDER}; mutmut show {name})")
    scores = {package: _score(package, verdicts) for package in PACKAGES}
    texts = (f"{p} {killed / of:.1%} ({killed} of {of})" for p, (killed, of) in scores.items())
    print(f"mutation: {', '.join(texts)}")
    return 0 if all(killed >= WANTED * of for killed, of in scores.values()) else 1


def _copy() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    shutil.copytree("functions", FOLDER / "src")
    for folder in ("tests", "tools"):
        shutil.copytree(folder, FOLDER / folder, ignore=shutil.ignore_patterns("node_modules"))
    (FOLDER / "pyproject.toml").write_text(Path("pyproject.toml").read_text() + SETTINGS)


def _verdicts() -> list[tuple[str, str]]:
    command = [_mutmut(), "results", "--all", "true"]
    listed = subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, text=True).stdout
    lines = [line.strip() for line in listed.splitlines() if "__mutmut_" in line]
    return [(name, verdict) for name, _, verdict in (line.partition(": ") for line in lines)]


def _score(package: str, verdicts: dict[str, str]) -> tuple[int, int]:
    counts = Counter(v for name, v in verdicts.items() if name.startswith(f"keyturn.{package}."))
    return counts["killed"] + counts["timeout"], counts.total()


def _mutmut() -> str:
    return str(Path(sys.executable).with_name("mutmut").absolute())


if __name__ == "__main__":
    sys.exit(main())
