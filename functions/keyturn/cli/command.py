"""What every verb shares: its options, the stack it works on, and how errors become two lines."""

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from keyturn.aws.deployment import Deployment, use_session
from keyturn.aws.faults import AwsFault
from keyturn.aws.telemetry import logger
from keyturn.cli import local_stack
from keyturn.cli.remedies import remedy_for
from keyturn.cli.terminal import PROBLEM, ProblemFound, Stopped, Terminal
from keyturn.keyset.errors import KeysetError

P = ParamSpec("P")
_SILENT = "CRITICAL"  # the handlers that run here log for Lambda, not for people


@dataclass(frozen=True, slots=True)
class Target:
    """Which stack, where, and how to speak of it."""

    stack: str
    region: str | None
    profile: str | None
    local: bool
    as_json: bool
    debug: bool

    def reach(self) -> Deployment:
        """The deployment; raises AwsFault, Failed."""
        if self.local:
            os.environ.update(local_stack.running_server().aws.environ)
        use_session(self.profile, self.region or os.environ.get("AWS_REGION"))
        return Deployment.find(self.stack)


_Options = dict[str, tuple[Any, Any]]
_MANNERS: _Options = {
    "as_json": (Annotated[bool, typer.Option("--json", help="One JSON object.")], False),
    "debug": (Annotated[bool, typer.Option("--debug", help="Show the stack trace.")], False),
}
_OPTIONS: _Options = {
    "stack": (Annotated[str, typer.Option(help="The stack's name.")], "keyturn"),
    "region": (Annotated[str | None, typer.Option(help="The AWS Region.")], None),
    "profile": (Annotated[str | None, typer.Option(help="The AWS profile.")], None),
    "local": (Annotated[bool, typer.Option("--local", help="The stack of `local up`.")], False),
    **_MANNERS,
}


def on_stack(verb: Callable[Concatenate[Terminal, Deployment, P], None]) -> Callable[..., None]:
    """`verb(terminal, deployment, …)` as a command with the options that every verb has."""

    def command(**given: Any) -> None:
        target = Target(**{name: given.pop(name) for name in _OPTIONS})
        terminal = Terminal(target.stack, target.as_json)
        with ending(debug=target.debug):
            logger.setLevel(_SILENT)
            with terminal.progress(f"looking for {target.stack}"):
                deployment = target.reach()
            verb(terminal, deployment, **given)  # type: ignore[call-arg]

    return _offering(verb, command, _OPTIONS, given=2)


def on_this_machine(verb: Callable[Concatenate[Terminal, P], None]) -> Callable[..., None]:
    """`verb(terminal, …)` as a command that needs no stack to be there."""

    def command(as_json: bool, debug: bool, **given: Any) -> None:
        with ending(debug=debug):
            verb(Terminal(local_stack.STACK, as_json), **given)  # type: ignore[call-arg]

    return _offering(verb, command, _MANNERS, given=1)


def _offering(
    verb: Callable[..., None], command: Callable[..., None], shared: _Options, *, given: int
) -> Callable[..., None]:
    """`command` with the name, help and options of `verb` behind its `given` first, and `shared`."""
    own = list(inspect.signature(verb, eval_str=True).parameters.values())[given:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    options = [
        *(option.replace(kind=keyword) for option in own),
        *(
            inspect.Parameter(name, keyword, default=default, annotation=kind)
            for name, (kind, default) in shared.items()
        ),
    ]
    offered = wraps(verb)(command)
    offered.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    offered.__annotations__ = {option.name: option.annotation for option in options}
    return offered


@contextmanager
def ending(*, debug: bool) -> Iterator[None]:
    """Turn errors into one line that says what went wrong, one that says what to do, and a status."""
    try:
        yield
    except ProblemFound:
        raise typer.Exit(PROBLEM) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        if debug:
            raise
        raise _ended(error) from None


def _ended(error: Exception) -> typer.Exit:
    typer.echo(f"keyturn: {_said(error)}", err=True)
    typer.echo(f"         {remedy_for(error)}", err=True)
    return typer.Exit(error.status if isinstance(error, Stopped) else PROBLEM)


def _said(error: Exception) -> str:
    """Its own words where they are known to hold no secret, otherwise its kind alone."""
    if isinstance(error, Stopped | AwsFault | KeysetError | ValueError):
        return " ".join(str(error).split())
    return f"unexpected {type(error).__name__}"
