"""The command's output (text, or one JSON object), its questions, and how it ends.

Much of what it prints comes from elsewhere: reasons, inputs of executions, error texts, kids. So
text is never parsed as markup, control characters are removed, and printing cannot fail.
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
    """Ends the command: what went wrong, in one line, and what to do about it."""

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
    """The command failed; exit status 1."""


class ProblemFound(Exception):
    """The problems have been printed already; sets exit status 1."""


def plain_text(text: str) -> str:
    """The text without control and formatting characters (ESC, bidi overrides), except newlines."""
    return "".join(character for character in text if _is_printable(character))


def _is_printable(character: str) -> bool:
    # Cc: C0 and C1; Cf: formatting, bidi; Cs: surrogates, which cannot be encoded.
    return character == "\n" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")


@dataclass(frozen=True, slots=True)
class _Sanitized:
    """A renderable that prints only plain text."""

    content: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for text, style, control in console.render(self.content, options):
            yield Segment(text, style, control) if control else Segment(plain_text(text), style)


class Progress(Protocol):
    """A line that can be replaced."""

    def update(self, text: str) -> None:
        """Replace the line."""
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
    """Prints text for people or, with `--json`, one object at the end."""

    stack: str
    as_json: bool
    console: Console = field(default_factory=_console)

    def __post_init__(self) -> None:
        for stream in (sys.stdout, sys.stderr):  # a terminal may lack an arrow or an ellipsis
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")

    def say(self, content: RenderableType = "", style: str | None = None) -> None:
        """Print a line, a styled Text or a table, unless `--json` is set. Never raises."""
        if self.as_json:
            return
        if isinstance(content, str):
            content = Text(plain_text(content), style or "")
        # A full disk or a closed pipe (for which Rich exits) must not end a revocation.
        with suppress(Exception, SystemExit):
            self.console.print(_Sanitized(content))

    def plain(self, text: str) -> None:
        """Print a line without wrapping and style, so that it can be copied."""
        if not self.as_json:
            typer.echo(plain_text(text))

    @contextmanager
    def progress(self, text: str) -> Iterator[Progress]:
        """A line that is updated while work is in progress."""
        quiet = Console(quiet=True) if self.as_json else self.console
        with quiet.status(Text(plain_text(text))) as status:
            yield _Spinner(status)

    def confirm(self, question: str) -> None:
        """Ask the operator to type the stack's name; raises UsageError for anything else."""
        if self.as_json:
            raise UsageError("--json never asks for confirmation", "add --yes")
        if typer.prompt(f"{question} Type the stack's name to continue") != self.stack:
            raise UsageError(
                "that is not the stack's name: nothing was done", "type it, or add --yes"
            )

    def result(self, members: Mapping[str, Any]) -> None:
        """Print the object of `--json`."""
        if self.as_json:
            typer.echo(json.dumps(members, indent=2))
