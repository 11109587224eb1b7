"""The operator's command."""

from importlib.metadata import version
from typing import Annotated

import typer

from keyturn.cli import api, client, local_stack
from keyturn.cli import revoke as revoking
from keyturn.cli.block import block, release
from keyturn.cli.command import on_stack, on_this_machine
from keyturn.cli.cost.command import cost
from keyturn.cli.doctor.command import doctor
from keyturn.cli.explain import explain
from keyturn.cli.history import history
from keyturn.cli.issue import issue
from keyturn.cli.jwks import jwks
from keyturn.cli.repair import repair
from keyturn.cli.rotate import rollback, rotate
from keyturn.cli.status.command import status
from keyturn.cli.verify.command import verify

app = typer.Typer(
    help="Keyturn rotates JWT signing keys without refusing a valid token or accepting a revoked one.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
local = typer.Typer(help="A stack on this machine, as a test issuer.", no_args_is_help=True)
clients = typer.Typer(help="What each client may request.", no_args_is_help=True)
apis = typer.Typer(help="Which tokens each API accepts.", no_args_is_help=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"keyturn {version('keyturn')}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version."),
]


@app.callback()
def main(version: Version = False) -> None:
    """Every command exits 0 on success, 1 if it found a problem or failed, 2 on invalid usage."""


# A kid may begin with a dash, so an unknown option is taken as a kid, and then refused by name.
_KIDS = {"ignore_unknown_options": True}

app.command("status")(on_stack(status))
app.command("history")(on_stack(history))
app.command("doctor")(on_stack(doctor))
app.command("cost")(on_stack(cost))
app.command("issue")(on_stack(issue))
app.command("verify")(on_stack(verify))
app.command("jwks")(on_stack(jwks))
app.command("rotate")(on_stack(rotate))
app.command("rollback", context_settings=_KIDS)(on_stack(rollback))
app.command("repair")(on_stack(repair))
app.command("revoke", context_settings=_KIDS)(on_stack(revoking.command))
app.add_typer(clients, name="client")
clients.command("add")(on_stack(client.add))
clients.command("show")(on_stack(client.show))
clients.command("list")(on_stack(client.list_clients))
clients.command("remove")(on_stack(client.remove))
clients.command("block")(on_stack(block))
clients.command("release")(on_stack(release))
clients.command("explain")(on_stack(explain))
app.add_typer(apis, name="api")
apis.command("add")(on_stack(api.add))
apis.command("show")(on_stack(api.show))
apis.command("list")(on_stack(api.list_apis))
apis.command("remove")(on_stack(api.remove))
app.add_typer(local, name="local")
local.command("up")(on_this_machine(local_stack.up))
local.command("down")(on_this_machine(local_stack.down))
local.command("url")(on_this_machine(local_stack.url))
