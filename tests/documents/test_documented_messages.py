"""The messages that a runbook's table quotes are messages of the product.

A quotation leaves out with `…` or `<…>` what differs from case to case, or gives an example of it.
"""

import re
from ast import Constant, JoinedStr, parse, walk
from collections.abc import Iterator

import pytest

from keyturn.keyset.states import State
from tests.definition import ROOT
from tests.documents.pages import PAGES, code, rows

RUNBOOKS = [name for name in PAGES if name.startswith("docs/runbooks/")]
# A word that stands for another: a name, a number, a path, what ends with a colon, a state of a key.
_EXAMPLE = re.compile(rf".*[\d_./:].*|[A-Z]\w+|{'|'.join(State)}")
_HOLE = "\0"


def texts() -> Iterator[str]:
    """Every text in the product's code, with a hole for each value that a run puts in."""
    for path in (ROOT / "functions/keyturn").rglob("*.py"):
        for node in walk(parse(path.read_text())):
            if isinstance(node, JoinedStr):
                parts = [one.value if isinstance(one, Constant) else _HOLE for one in node.values]
                yield " ".join("".join(map(str, parts)).split())
            elif isinstance(node, Constant) and isinstance(node.value, str):
                yield " ".join(node.value.split())


TEXTS = "\n".join(sorted(set(texts())))


def quotations(page: str) -> Iterator[str]:
    """The messages in the first cells of a page's tables: what is code, has words and is no command."""
    for row in rows(page):
        for quoted in code(row[0]):
            message = quoted.removeprefix("keyturn: ")
            if " " in message and not re.match(r"(?:keyturn|aws) ", quoted):
                yield message


def fragments(message: str) -> Iterator[list[str]]:
    """What stands between the gaps of a quotation: words of ours, with at most an example in between."""
    for part in re.split(r"…|<[^>]+>", message):
        words = part.split()
        while words and _EXAMPLE.fullmatch(words[0]):
            words.pop(0)
        while words and _EXAMPLE.fullmatch(words[-1]):
            words.pop()
        if len(words) > 1:
            yield words


def is_said(words: list[str]) -> bool:
    """Whether some text of the product has these words, and anything where an example stands."""
    pattern = " ".join(r"\S+" if _EXAMPLE.fullmatch(one) else re.escape(one) for one in words)
    return bool(re.search(rf"(?<!\w){pattern}(?!\w)", TEXTS))


@pytest.mark.parametrize("page", RUNBOOKS)
def test_every_message_that_a_runbook_quotes_is_said(page: str) -> None:
    """Else somebody looks for it at night and does not find the row."""
    unsaid = [m for m in quotations(PAGES[page]) if not all(map(is_said, fragments(m)))]
    assert unsaid == []


@pytest.mark.parametrize(
    "message",
    ["the execution stopped FAILED in PlanRotation: …", "nothing to mend", "… is still alive"],
)
def test_a_message_that_nobody_says_is_noticed(message: str) -> None:
    """Another word is enough."""
    assert not all(map(is_said, fragments(message)))
    assert list(fragments(message))


def test_messages_are_found() -> None:
    """There are dozens."""
    assert len([message for page in RUNBOOKS for message in quotations(PAGES[page])]) > 30
