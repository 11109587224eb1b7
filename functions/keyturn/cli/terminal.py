"""How the command speaks: prose for people or one JSON object, questions, and how it ends."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import typer
from rich.console import Console, RenderableType

PROBLEM, BAD_USAGE = 1, 2


class Stopped(Exception):
    """The verb ends here: what went wrong, in one line, and what to do about it."""

    status = PROBLEM

    def __init__(
        self, what: str, remedy: str = "`keyturn doctor` looks at the whole stack"
    ) -> None:
        super().__init__(what)
        self.remedy = remedy


class BadUsage(Stopped):
    """The call's words are off; exit status 2."""

    status = BAD_USAGE

    def __init__(self, what: str, remedy: str = "add --help to see the words of this verb") -> None:
        super().__init__(what, remedy)


class Failed(Stopped):
    """What was asked for did not come about; exit status 1."""


class ProblemFound(Exception):
    """The verb has said everything already; only the exit status is left to tell."""


@dataclass
class Terminal:
    """Says things: prose for people, or with `--json` one object at the end."""

    stack: str
    as_json: bool
    console: Console = field(default_factory=lambda: Console(highlight=False))

    def say(self, text: RenderableType = "") -> None:
        """Something for people: a line with Rich's markup, or a table."""
        if not self.as_json:
            self.console.print(text)

    def plain(self, text: str) -> None:
        """A line for people that is never wrapped or styled: it will be copied."""
        if not self.as_json:
            typer.echo(text)

    @contextmanager
    def progress(self, text: str) -> Iterator[Any]:
        """A line that changes while something goes on."""
        quiet = Console(quiet=True) if self.as_json else self.console
        with quiet.status(text) as status:
            yield status

    def confirm(self, question: str) -> None:
        """Have the operator type the stack's name; raises BadUsage for anything else."""
        if self.as_json:
            raise BadUsage("--json asks nothing", "add --yes")
        if typer.prompt(f"{question} Type the stack's name to go on") != self.stack:
            raise BadUsage(
                "that is not the stack's name: nothing was done", "type it, or add --yes"
            )

    def result(self, what: Mapping[str, Any]) -> None:
        """The one object of `--json`."""
        if self.as_json:
            typer.echo(json.dumps(what, indent=2, ensure_ascii=False))
