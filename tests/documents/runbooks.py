"""The commands that the runbooks tell an operator to type, as written there."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.documents.pages import COMMAND, PAGES

RUNBOOKS = [name for name in PAGES if name.startswith("docs/runbooks/")]
_CONSOLE = re.compile(r"^ *```console\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`((?:keyturn|aws) [^`]+)`")
_ASSIGNMENT = re.compile(r"(\w+)=\$\(")
_VARIABLE = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Command:
    """One command, and those before it that set the shell variables it uses."""

    text: str
    assignments: tuple[str, ...] = ()

    @property
    def script(self) -> str:
        """The input of a shell."""
        return "\n".join([*self.assignments, self.text])


def commands() -> Mapping[str, Command]:
    """Every command of every runbook, by its text; one that only sets a variable is part of others."""
    by_text: dict[str, Command] = {}
    for name in RUNBOOKS:
        for command in (*_of_blocks(PAGES[name]), *_inline(PAGES[name])):
            by_text.setdefault(command.text, command)
    return by_text


def _inline(markdown: str) -> Iterator[Command]:
    for text in _INLINE.findall(_CONSOLE.sub("", markdown)):
        yield Command(" ".join(text.split()))


def _of_blocks(markdown: str) -> Iterator[Command]:
    variables: dict[str, Command] = {}
    for block in _CONSOLE.findall(markdown):
        for lines in COMMAND.findall(block):
            text = " ".join(line.strip() for line in lines.split("\\\n"))
            command = Command(text, tuple(_needed(text, variables)))
            if assigned := _ASSIGNMENT.match(text):
                variables[assigned[1]] = command
            else:
                yield command


def _needed(text: str, variables: Mapping[str, Command]) -> Iterator[str]:
    for name in dict.fromkeys(_VARIABLE.findall(text)):
        if name in variables:
            yield from (*variables[name].assignments, variables[name].text)
