"""The commands that the runbooks tell an operator to type, as they stand there."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

RUNBOOKS = Path(__file__).parents[2] / "docs/runbooks"
_CONSOLE = re.compile(r"^ *```console\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_TYPED = re.compile(r"^ *\$ ((?:.*\\\n)*.*)$", re.MULTILINE)
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
        """What a shell is given."""
        return "\n".join([*self.assignments, self.text])


def commands() -> Mapping[str, Command]:
    """Every command of every runbook, by its text; one that only sets a variable is part of others."""
    found: dict[str, Command] = {}
    for page in sorted(RUNBOOKS.glob("*.md")):
        for command in (*_of_blocks(page.read_text()), *_inline(page.read_text())):
            found.setdefault(command.text, command)
    return found


def _inline(markdown: str) -> Iterator[Command]:
    for text in _INLINE.findall(_CONSOLE.sub("", markdown)):
        yield Command(" ".join(text.split()))


def _of_blocks(markdown: str) -> Iterator[Command]:
    variables: dict[str, Command] = {}
    for block in _CONSOLE.findall(markdown):
        for lines in _TYPED.findall(block):
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
