"""docs/verifiers.md: a table of what was measured, and the very lines that were."""

import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from tests.verifiers.catalogue import LINES, Running, Verifier
from tests.verifiers.measure import NEVER, measure
from tests.verifiers.web import Site

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/verifiers.md"
_TABLE = re.compile(
    r"(<!-- measured: make verifiers-docs -->\n).*?(<!-- end of measured -->)", re.S
)
_LINES = re.compile(r"(<!-- lines: (\S+) -->\n).*?(<!-- end of lines -->)", re.S)
_HEAD = """\
| | an unknown key | unknown, tried too early | a revoked key | shorter with | then |
|---|--:|--:|--:|---|---|
"""


def measured_row(verifier: Verifier, running: Running, site: Site) -> str:
    """The verifier's line of the table, measured now."""
    lags = [measure(running, site, {})]
    if verifier.better:
        lags.append(measure(running, site, verifier.better))
    by_default, *better = [
        [_told(seconds) for seconds in (lag.new_key, lag.asked_early, lag.revoked)] for lag in lags
    ]
    cells = [
        title(verifier),
        *by_default,
        _options(verifier),
        " · ".join(*better) if better else "",
    ]
    return f"| {' | '.join(cells)} |\n"


def with_table(page: str, rows: Iterable[str]) -> str:
    """The page with its table drawn anew."""
    return _TABLE.sub(lambda match: match[1] + _HEAD + "".join(rows) + match[2], page)


def with_lines(page: str) -> str:
    """The page with the code of `lines/` put in anew."""

    def code(match: re.Match[str]) -> str:
        path = LINES / match[2]
        language = {".py": "python", ".mjs": "js"}[path.suffix]
        return f"{match[1]}```{language}\n{path.read_text()}```\n{match[3]}"

    return _LINES.sub(code, page)


def title(verifier: Verifier) -> str:
    """The first cell of its row: the version is there for what is somebody else's."""
    name = f"[{verifier.name}]({verifier.link})"
    return f"{name} {_version(verifier.package)}" if verifier.lines else name


def _version(package: str) -> str:
    """As the lock files pin it."""
    node = json.loads((ROOT / "tests/package-lock.json").read_text())["packages"]
    if match := node.get(f"node_modules/{package}"):
        return str(match["version"])
    python = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return next(str(match["version"]) for match in python if match["name"] == package)


def _told(seconds: float) -> str:
    return {0: "at once", NEVER: "never"}.get(seconds, f"{seconds:,.0f} s")


def _options(verifier: Verifier) -> str:
    sign = "=" if verifier.lines and verifier.lines.suffix == ".py" else ": "
    return ", ".join(f"`{name}{sign}{value}`" for name, value in verifier.better.items())
