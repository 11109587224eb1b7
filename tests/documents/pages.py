"""The documents as a person reads them: pages, sections, tables, code, commands."""

import re
from collections.abc import Iterator, Mapping

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
# Pages about the present: the changelog names what was removed, a decision what was true then.
PRESENT: Mapping[str, str] = {
    name: text
    for name, text in PAGES.items()
    if name != "CHANGELOG.md" and not name.startswith("docs/decisions/")
}
_FENCE = re.compile(r"^ *```.*?^ *```$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"``(.+?)``|`([^`]+)`", re.DOTALL)
COMMAND = re.compile(r"^ *\$ ((?:.*\\\n)*.*)$", re.MULTILINE)
_CELL = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"\|[-:| ]+\|")


def section(page: str, heading: str) -> str:
    """The text below a heading of the second level."""
    _, title, rest = page.partition(f"\n## {heading}\n")
    assert title, heading
    return rest.partition("\n## ")[0]


def tables(text: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    """The tables in a text, each as the cells of its head and of its rows."""
    head, body = list[str](), list[list[str]]()
    for line in [*_FENCE.sub("", text).splitlines(), ""]:
        cells = [cell.strip() for cell in _CELL.split(line.strip())[1:-1]]
        if not line.strip().startswith("|"):
            if head:
                yield head, body
            head, body = [], []
        elif not head:
            head = cells
        elif not _RULE.fullmatch(line.strip()):
            body.append(cells)


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables in a text, without the tables' heads."""
    return [row for _, body in tables(text) for row in body]


def code(text: str) -> list[str]:
    """The code spans of a text, on one line each, without its blocks."""
    spans = _CODE.findall(_FENCE.sub("", text))
    return [" ".join((double or single).split()) for double, single in spans]


def typed(text: str) -> list[str]:
    """The commands after a `$` in blocks."""
    blocks = _FENCE.findall(text)
    commands = [command for block in blocks for command in COMMAND.findall(block)]
    return [" ".join(command.replace("\\\n", " ").split()) for command in commands]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub spells them, and its own."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    named = re.findall(r'<a id="([^"]+)"', text)
    return {*named, *(re.sub(r"[^\w\- ]", "", one).lower().replace(" ", "-") for one in headings)}
