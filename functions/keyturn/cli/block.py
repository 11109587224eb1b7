"""`keyturn client block | release`: refuse a client's tokens and requests until its release."""

from typing import Annotated

import typer

from keyturn.access.client import is_client_name
from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.options import DryRun, Reason, Yes
from keyturn.cli.preflight import check_reason
from keyturn.cli.revocation import Order
from keyturn.cli.revoke import revoke
from keyturn.cli.targets import Targets
from keyturn.cli.terminal import CommandFailed, Terminal, UsageError
from keyturn.keyset.cutoffs import Claim, digest_of

_STILL_RUNNING = "`keyturn status` lists blocks. If a block is still running, wait for its end, then release the client"

Name = Annotated[str, typer.Argument(help="The client's name, as in POST /token/NAME.")]
Direct = Annotated[
    bool,
    typer.Option("--direct", help="With your credentials, without Step Functions and Lambda."),
]


def block(
    terminal: Terminal,
    deployment: Deployment,
    name: Name,
    reason: Reason,
    *,
    direct: Direct = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Refuse a client's tokens and its requests, until it is released."""
    targets = Targets(blocked=(_checked(name),))
    reason = check_reason(reason)
    order = Order(targets=targets, reason=reason, direct=direct, dry_run=dry_run, yes=yes)
    revoke(terminal, deployment, order)


def release(
    terminal: Terminal,
    deployment: Deployment,
    name: Name,
    reason: Reason,
    *,
    direct: Direct = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Give a blocked client tokens again; those issued before its release stay refused."""
    targets = Targets(released=(_checked(name),))
    cutoff = deployment.keyset.cutoff(Claim.CLIENT, digest_of(name))
    if not (cutoff and cutoff.is_block):
        raise CommandFailed(f"client {name} is not blocked", _STILL_RUNNING)
    reason = check_reason(reason)
    order = Order(targets=targets, reason=reason, direct=direct, dry_run=dry_run, yes=yes)
    revoke(terminal, deployment, order)


def _checked(name: str) -> str:
    if not is_client_name(name):
        raise UsageError(f"{name!a} is not a client's name")
    return name
