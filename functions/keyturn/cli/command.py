"""What all commands share: options, the stack to work on, and error messages of two lines."""

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from keyturn.aws.faults import AwsFault, NotSent
from keyturn.aws.operator.credentials import use_session
from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.powertools import logger
from keyturn.cli import local_stack
from keyturn.cli.remedies import remedy_for
from keyturn.cli.terminal import PROBLEM, CommandError, ProblemFound, Terminal, plain_text
from keyturn.keyset.errors import KeysetError

P = ParamSpec("P")
_SILENT = "CRITICAL"  # handlers run here log for Lambda, not for the operator


@dataclass(frozen=True, slots=True)
class Target:
    """The stack to work on, its profile and Region, and how to refer to it."""

    stack: str
    region: str | None
    profile: str | None
    local: bool
    as_json: bool
    debug: bool

    def find(self) -> Deployment:
        """The deployment; raises AwsFault, CommandFailed."""
        if self.local:
            os.environ.update(local_stack.running_server().aws.environ)
        use_session(self.profile, self.region)
        return Deployment.find(self.stack)


_Options = dict[str, tuple[Any, Any]]
_OUTPUT_OPTIONS: _Options = {
    "as_json": (Annotated[bool, typer.Option("--json", help="Print one JSON object.")], False),
    "debug": (Annotated[bool, typer.Option("--debug", help="Show the stack trace.")], False),
}
_OPTIONS: _Options = {
    "stack": (Annotated[str, typer.Option(help="The stack's name.")], "keyturn"),
    "region": (Annotated[str | None, typer.Option(help="The AWS Region.")], None),
    "profile": (Annotated[str | None, typer.Option(help="The AWS profile.")], None),
    "local": (
        Annotated[bool, typer.Option("--local", help="Use the stack of `keyturn local up`.")],
        False,
    ),
    **_OUTPUT_OPTIONS,
}


def on_stack(work: Callable[Concatenate[Terminal, Deployment, P], None]) -> Callable[..., None]:
    """Make `work(terminal, deployment, …)` a command, with the options that every command has."""

    def command(**arguments: Any) -> None:
        target = Target(**{name: arguments.pop(name) for name in _OPTIONS})
        terminal = Terminal(target.stack, target.as_json)
        with errors_as_two_lines(debug=target.debug):
            logger.setLevel(_SILENT)
            work(terminal, target.find(), **arguments)  # type: ignore[call-arg]  # P cannot say keywords

    return _with_options(work, command, _OPTIONS, skip=2)


def on_this_machine(work: Callable[Concatenate[Terminal, P], None]) -> Callable[..., None]:
    """Make `work(terminal, …)` a command that needs no deployed stack."""

    def command(as_json: bool, debug: bool, **arguments: Any) -> None:
        with errors_as_two_lines(debug=debug):
            work(Terminal(local_stack.STACK, as_json), **arguments)  # type: ignore[call-arg]  # P cannot say keywords

    return _with_options(work, command, _OUTPUT_OPTIONS, skip=1)


def _with_options(
    work: Callable[..., None], command: Callable[..., None], shared: _Options, *, skip: int
) -> Callable[..., None]:
    """`command` with the name, help and options of `work` after its first `skip`, and `shared`."""
    own = list(inspect.signature(work, eval_str=True).parameters.values())[skip:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    options = [
        *(option.replace(kind=keyword) for option in own),
        *(
            inspect.Parameter(name, keyword, default=default, annotation=kind)
            for name, (kind, default) in shared.items()
        ),
    ]
    wrapped = wraps(work)(command)
    wrapped.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]  # inspect reads it
    wrapped.__annotations__ = {option.name: option.annotation for option in options}
    return wrapped


@contextmanager
def errors_as_two_lines(*, debug: bool) -> Iterator[None]:
    """Turn errors into two lines, what went wrong and what to do, and an exit status."""
    try:
        yield
    except ProblemFound:
        raise typer.Exit(PROBLEM) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if debug:
            raise
        raise _exit(error) from None


def _exit(error: Exception) -> typer.Exit:
    typer.echo(f"keyturn: {_message(error)}", err=True)
    typer.echo(f"         {_one_line(remedy_for(error))}", err=True)
    return typer.Exit(error.status if isinstance(error, CommandError) else PROBLEM)


def _message(error: Exception) -> str:
    """The error's message if it cannot contain a secret, otherwise only its class."""
    if isinstance(error, NotSent):
        return _one_line(f"{error} (this call was not sent)")
    if isinstance(error, CommandError | AwsFault | KeysetError | ValueError):
        return _one_line(str(error))
    return f"unexpected {type(error).__name__}"


def _one_line(text: str) -> str:
    return plain_text(" ".join(text.split()))
