"""What every verb shares: the stack it works on, how it speaks, how it asks, how it ends."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import typer
from rich.console import Console

from keyturn.aws.deployment import Deployment, use_session
from keyturn.aws.faults import AwsFault
from keyturn.keyset.errors import KeysetError

PROBLEM, BAD_USAGE = 1, 2


class BadUsage(Exception):
    """The call's words are off; exit status 2."""


class Failed(Exception):
    """What was asked for did not come about; exit status 1."""


@dataclass
class Terminal:
    """Says things: prose for people, or with `--json` one object at the end."""

    stack: str
    as_json: bool
    console: Console = field(default_factory=lambda: Console(highlight=False))

    def say(self, text: str) -> None:
        """A line for people."""
        if not self.as_json:
            self.console.print(text)

    @contextmanager
    def progress(self, text: str) -> Iterator[Any]:
        """A line that changes while something goes on."""
        quiet = Console(quiet=True) if self.as_json else self.console
        with quiet.status(text) as status:
            yield status

    def confirm(self, question: str) -> None:
        """Have the operator type the stack's name; raises BadUsage for anything else."""
        if self.as_json:
            raise BadUsage("--json asks nothing: add --yes")
        if typer.prompt(f"{question} Type the stack's name to go on") != self.stack:
            raise BadUsage("that is not the stack's name: nothing was done")

    def result(self, what: Mapping[str, Any]) -> None:
        """The one object of `--json`."""
        if self.as_json:
            typer.echo(json.dumps(what, indent=2))


@contextmanager
def speaking(
    stack: str, region: str | None, profile: str | None, *, as_json: bool
) -> Iterator[tuple[Terminal, Deployment]]:
    """The terminal and the stack for a verb; errors become one line and an exit status."""
    terminal = Terminal(stack, as_json)
    try:
        use_session(profile, region or os.environ.get("AWS_REGION"))
        yield terminal, Deployment.find(stack)
    except BadUsage as error:
        raise _ended(str(error), BAD_USAGE) from None
    except (Failed, KeysetError, AwsFault, ValueError) as error:
        raise _ended(str(error), PROBLEM) from None


def _ended(message: str, status: int) -> typer.Exit:
    typer.echo(f"keyturn: {message}", err=True)
    return typer.Exit(status)
