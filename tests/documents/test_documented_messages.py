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
from tests.documents.runbooks import RUNBOOKS

# A word that stands for another: a name, a number, a path, what ends with a colon, a state of a key.
_EXAMPLE = re.compile(rf".*[\d_./:].*|[A-Z]\w+|{'|'.join(State)}")
_HOLE = "\0"


def texts() -> Iterator[str]:
    """Every text in the product's code, with a hole for each value that is filled in."""
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
    """The words between the gaps of a quotation, with at most an example among them."""
    for part in re.split(r"…|<[^>]+>", message):
        words = part.split()
        while words and _EXAMPLE.fullmatch(words[0]):
            words.pop(0)
        while words and _EXAMPLE.fullmatch(words[-1]):
            words.pop()
        if len(words) > 1:
            yield words


def is_said(words: list[str]) -> bool:
    """Whether some text of the product has these words, with anything in the place of an example."""
    pattern = " ".join(r"\S+" if _EXAMPLE.fullmatch(one) else re.escape(one) for one in words)
    return bool(re.search(rf"(?<!\w){pattern}(?!\w)", TEXTS))


@pytest.mark.parametrize("page", RUNBOOKS)
def test_every_message_that_a_runbook_quotes_is_said(page: str) -> None:
    """Every quoted message is in the product's code, so that an operator finds its row."""
    unsaid = [m for m in quotations(PAGES[page]) if not all(map(is_said, fragments(m)))]
    assert unsaid == []


@pytest.mark.parametrize(
    "message",
    ["the execution stopped FAILED in PlanRotation: …", "nothing to mend", "… is still alive"],
)
def test_a_message_that_does_not_exist_is_noticed(message: str) -> None:
    """A quotation with one other word is not found."""
    assert not all(map(is_said, fragments(message)))
    assert list(fragments(message))


def test_messages_are_found() -> None:
    """The runbooks quote dozens of messages: the search for them works."""
    assert len([message for page in RUNBOOKS for message in quotations(PAGES[page])]) > 30
