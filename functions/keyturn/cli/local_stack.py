"""`keyturn local`: a stack that stays up on this machine, for use as a test issuer."""

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from keyturn.aws.operator.credentials import use_session
from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.local import REGION, LocalAws, Server, ToolFailed, Workshop, start
from keyturn.cli.terminal import CommandFailed, Terminal, UsageError

STACK = "keyturn"
# Tokens live as long as on AWS; keyset changes and new keys take effect within seconds.
PARAMETERS: Mapping[str, object] = {
    "ViewTtl": 1,
    "Propagation": 5,
    "JwksMaxAge": 1,
    "CdnTtl": 0,
    "ClockSkew": 1,
    "WriteDelay": 5,
    "StaleLimit": 10,
}

_ROOT = Path(__file__).parents[3]
_PLACE = _ROOT / "build/local"
_STATE = _PLACE / "server.json"

Parameters = Annotated[
    list[str] | None, typer.Option("--parameter", "-p", help="A template parameter, NAME=VALUE.")
]
Env = Annotated[bool, typer.Option("--env", help="Print `export` lines for eval in a shell.")]


def up(terminal: Terminal, parameters: Parameters = None) -> None:
    """Start a local AWS with the stack deployed, and leave it running."""
    overrides = _parse_parameters(parameters or [])
    server = _read_state()
    if server and overrides:
        raise UsageError(
            "a local stack is already up, perhaps with other parameters",
            "`keyturn local down` first",
        )
    if server is None:
        server = _deploy(terminal, {**PARAMETERS, **overrides})
        terminal.say("It runs until `keyturn local down`; every command works on it with --local.")
    _print_summary(terminal, server)


def down(terminal: Terminal) -> None:
    """Stop the local AWS and remove what it left on disk."""
    server = _read_state()
    if server:
        with terminal.progress("stopping"):
            server.stop()
    _STATE.unlink(missing_ok=True)
    terminal.say("Stopped." if server else "Nothing was running.")
    terminal.result({"stopped": server is not None})


def url(terminal: Terminal, env: Env = False) -> None:
    """The URLs of the local stack: issuer, JWKS, API."""
    server = running_server()
    if not env:
        _print_summary(terminal, server)
        return
    for name, value in server.aws.environ.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def running_server() -> Server:
    """The local AWS that is running; raises CommandFailed if none is."""
    server = _read_state()
    if server is None:
        raise CommandFailed("no local stack is up", "`keyturn local up` starts one")
    return server


def _deploy(terminal: Terminal, parameters: Mapping[str, object]) -> Server:
    workshop = Workshop(_ROOT, _PLACE)
    if not (_ROOT / "template.yaml").exists():
        raise CommandFailed(
            "a local stack needs Keyturn's repository, and this command was installed without it",
            "clone it, and run `make setup` and `.venv/bin/keyturn local up` there",
        )
    if not workshop.sam.exists():
        raise CommandFailed(
            f"the tools are not in {_ROOT / 'build/env'}", "`make setup` installs them"
        )
    try:
        with terminal.progress("sam build"):
            workshop.build()
        server = start(workshop)
        with terminal.progress("sam deploy (about half a minute)"), _stop_on_error(server):
            os.environ.update(server.aws.environ)
            workshop.deploy(server.aws, STACK, parameters)
    except ToolFailed as error:
        raise CommandFailed(str(error), f"the server's log is {_PLACE / 'tmp.log'}") from None
    _STATE.write_text(json.dumps({"pid": server.pid, "endpoint": server.aws.endpoint}))
    return server


@contextmanager
def _stop_on_error(server: Server) -> Iterator[None]:
    try:
        yield
    except BaseException:
        server.stop()
        raise


def _parse_parameters(parameters: list[str]) -> dict[str, str]:
    overrides = {}
    for parameter in parameters:
        name, equals, value = parameter.partition("=")
        if not (name.isalnum() and equals):
            raise UsageError(f"--parameter {parameter}: not of the form NAME=VALUE")
        overrides[name] = value
    return overrides


def _read_state() -> Server | None:
    try:
        state = json.loads(_STATE.read_text())
        server = Server(state["pid"], LocalAws(state["endpoint"]), _PLACE / "tmp")
    except (OSError, ValueError, KeyError):
        return None
    return server if server.is_running() else None


def _print_summary(terminal: Terminal, server: Server) -> None:
    os.environ.update(server.aws.environ)
    use_session(None, REGION)
    outputs = Deployment.find(STACK).outputs
    summary: dict[str, Any] = {
        "stack": STACK,
        "endpoint": server.aws.endpoint,
        "issuer": outputs["Issuer"],
        "jwks_url": outputs["JwksUrl"],
        "token_url": outputs["TokenUrl"],
        "api_url": outputs["ApiUrl"],
        "environment": dict(server.aws.environ),
    }
    for name in ("issuer", "jwks_url", "token_url", "api_url"):
        terminal.plain(f"{name:10} {summary[name]}")
    terminal.result(summary)
