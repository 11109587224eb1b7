"""The documents as a person reads them: pages, sections, tables, what is set as code, what is typed."""

import re
from collections.abc import Mapping

from tests.definition import ROOT

PAGES: Mapping[str, str] = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in sorted(
        [
            *ROOT.glob("*.md"),
            *(ROOT / "docs").rglob("*.md"),
            *(ROOT / ".github").rglob("*.md"),
            *(ROOT / "tests").glob("*.md"),
            *(ROOT / "tools").glob("*.md"),
        ]
    )
}
# What is so today: the changelog names what is gone, a decision what was so when it was taken.
PRESENT: Mapping[str, str] = {
    name: text
    for name, text in PAGES.items()
    if name != "CHANGELOG.md" and not name.startswith("docs/decisions/")
}
_FENCE = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"``(.+?)``|`([^`]+)`", re.DOTALL)
_TYPED = re.compile(r"^ *\$ ((?:.*\\\n)*.*)$", re.MULTILINE)
_CELL = re.compile(r"(?<!\\)\|")


def section(page: str, heading: str) -> str:
    """What stands below a heading of the second level."""
    _, found, rest = page.partition(f"\n## {heading}\n")
    assert found, heading
    return rest.partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables in a text, without the tables' heads."""
    lines = [line.strip() for line in _FENCE.sub("", text).splitlines()]
    found = []
    for number, line in enumerate(lines):
        below = lines[number + 1] if number + 1 < len(lines) else ""
        if line.startswith("|") and not (_is_rule(line) or _is_rule(below)):
            found.append([cell.strip() for cell in _CELL.split(line)[1:-1]])
    return found


def code(text: str) -> list[str]:
    """What is set as code, on one line each; what stands in a block is left out."""
    spans = _CODE.findall(_FENCE.sub("", text))
    return [" ".join((double or single).split()) for double, single in spans]


def typed(text: str) -> list[str]:
    """The commands behind a `$` in blocks."""
    blocks = _FENCE.findall(text)
    commands = [command for block in blocks for command in _TYPED.findall(block)]
    return [" ".join(command.replace("\\\n", " ").split()) for command in commands]


def anchors(text: str) -> set[str]:
    """Where a link may lead within a page, as GitHub spells its headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    named = re.findall(r'<a id="([^"]+)"', text)
    return {*named, *(re.sub(r"[^\w\- ]", "", one).lower().replace(" ", "-") for one in headings)}


def _is_rule(line: str) -> bool:
    return bool(re.fullmatch(r"\|[-:| ]+\|", line))
