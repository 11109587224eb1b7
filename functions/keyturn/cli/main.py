"""The operator's command."""

from pathlib import Path
from typing import Annotated

import typer

from keyturn.cli import revoke as revoking
from keyturn.cli import turn
from keyturn.cli.terminal import speaking

app = typer.Typer(
    help="Keyturn: signing keys that turn without refusing a valid token or accepting a revoked one.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Stack = Annotated[str, typer.Option(help="The stack's name.")]
Region = Annotated[str | None, typer.Option(help="The AWS Region.")]
Profile = Annotated[str | None, typer.Option(help="The AWS profile.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object, no questions.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen, do nothing.")]
Detach = Annotated[bool, typer.Option("--detach", help="Start it and do not follow.")]
Reason = Annotated[str, typer.Option(help="Why; it goes into the history.")]


@app.callback()
def main() -> None:
    """Each verb exits 0, 1 (it did not come about) or 2 (the call's words are off)."""


# A kid may begin with a dash: what is no option is a kid, and an unknown kid is refused by name.
KIDS = {"ignore_unknown_options": True}


@app.command(context_settings=KIDS)
def revoke(
    reason: Reason,
    kids: Annotated[list[str] | None, typer.Argument(help="The kids to revoke.")] = None,
    active: Annotated[bool, typer.Option("--active", help="The key that signs now.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every live key.")] = False,
    direct: Annotated[
        bool,
        typer.Option(
            "--direct", help="Break glass: no Step Functions, no Lambda, your credentials."
        ),
    ] = False,
    cut_sessions: Annotated[
        bool, typer.Option("--cut-sessions", help="First cut the issuer role's sessions.")
    ] = False,
    token_file: Annotated[
        Path | None, typer.Option(exists=True, help="A token of the key, to prove it with.")
    ] = None,
    stack: Stack = "keyturn",
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Take compromised keys out now, and prove that they are out."""
    order = revoking.Order(
        kids=tuple(kids or ()),
        active=active,
        everything=everything,
        reason=reason,
        direct=direct,
        cut_sessions=cut_sessions,
        token_file=token_file,
        dry_run=dry_run,
        yes=yes,
    )
    with speaking(stack, region, profile, as_json=as_json) as (terminal, deployment):
        revoking.revoke(terminal, deployment, order)


@app.command()
def rotate(
    stack: Stack = "keyturn",
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    detach: Detach = False,
) -> None:
    """Turn the key now, with all its waits: the answer to a suspicion."""
    with speaking(stack, region, profile, as_json=as_json) as (terminal, deployment):
        turn.rotate(terminal, deployment, detach=detach, dry_run=dry_run, yes=yes)


@app.command(context_settings=KIDS)
def rollback(
    kid: Annotated[str, typer.Argument(help="The grace key that is to sign again.")],
    reason: Reason,
    stack: Stack = "keyturn",
    region: Region = None,
    profile: Profile = None,
    as_json: Json = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    detach: Detach = False,
) -> None:
    """Have a superseded key sign again, while its tokens still verify."""
    with speaking(stack, region, profile, as_json=as_json) as (terminal, deployment):
        turn.rollback(terminal, deployment, kid, reason, detach=detach, dry_run=dry_run, yes=yes)
