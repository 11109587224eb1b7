"""How the command speaks: prose for people or one JSON object, questions, and how it ends.

Much of what it prints was written by others: reasons, inputs of executions, error texts, kids. So
text is never parsed as markup, loses its control characters, and printing it cannot fail.
"""

import json
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import typer
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text

PROBLEM, USAGE_ERROR = 1, 2


class CommandError(Exception):
    """The command ends here: what went wrong, in one line, and what to do about it."""

    status = PROBLEM

    def __init__(
        self, message: str, remedy: str = "`keyturn doctor` checks the whole stack"
    ) -> None:
        super().__init__(message)
        self.remedy = remedy


class UsageError(CommandError):
    """Invalid usage; exit status 2."""

    status = USAGE_ERROR

    def __init__(self, message: str, remedy: str = "run it with --help to see its options") -> None:
        super().__init__(message, remedy)


class CommandFailed(CommandError):
    """The command could not do what it is for; exit status 1."""


class ProblemFound(Exception):
    """Everything has been said; only the exit status is missing."""


def plain_text(text: str) -> str:
    """The text without control and formatting characters (ESC, bidi overrides), newlines excepted."""
    return "".join(character for character in text if _is_printable(character))


def _is_printable(character: str) -> bool:
    # Cc: C0 and C1; Cf: formatting, bidi; Cs: surrogates, which no encoding takes.
    return character == "\n" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")


@dataclass(frozen=True, slots=True)
class _Sanitized:
    """A renderable whose every printed cell is plain text."""

    content: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for text, style, control in console.render(self.content, options):
            yield Segment(text, style, control) if control else Segment(plain_text(text), style)


class Progress(Protocol):
    """A line that can be replaced."""

    def update(self, text: str) -> None:
        """Say something else."""
        ...


class _Spinner:
    def __init__(self, status: Any) -> None:
        self._status = status

    def update(self, text: str) -> None:
        with suppress(Exception):
            self._status.update(Text(plain_text(text)))


def _console() -> Console:
    return Console(highlight=False, markup=False, emoji=False)


@dataclass
class Terminal:
    """Says things: prose for people, or with `--json` one object at the end."""

    stack: str
    as_json: bool
    console: Console = field(default_factory=_console)

    def __post_init__(self) -> None:
        for stream in (sys.stdout, sys.stderr):  # a terminal may lack an arrow or an ellipsis
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")

    def say(self, content: RenderableType = "", style: str | None = None) -> None:
        """Something for people: a line, a styled Text or a table. Never raises, whatever it holds."""
        if self.as_json:
            return
        if isinstance(content, str):
            content = Text(plain_text(content), style or "")
        # A full disk or a closed pipe (for which Rich exits) must not end a revocation.
        with suppress(Exception, SystemExit):
            self.console.print(_Sanitized(content))

    def plain(self, text: str) -> None:
        """A line for people that is never wrapped or styled: it will be copied."""
        if not self.as_json:
            typer.echo(plain_text(text))

    @contextmanager
    def progress(self, text: str) -> Iterator[Progress]:
        """A line that changes while something goes on."""
        quiet = Console(quiet=True) if self.as_json else self.console
        with quiet.status(Text(plain_text(text))) as status:
            yield _Spinner(status)

    def confirm(self, question: str) -> None:
        """Have the operator type the stack's name; raises UsageError for anything else."""
        if self.as_json:
            raise UsageError("--json never asks for confirmation", "add --yes")
        if typer.prompt(f"{question} Type the stack's name to continue") != self.stack:
            raise UsageError(
                "that is not the stack's name: nothing was done", "type it, or add --yes"
            )

    def result(self, members: Mapping[str, Any]) -> None:
        """The one object of `--json`."""
        if self.as_json:
            typer.echo(json.dumps(members, indent=2))
