"""`keyturn revoke`: revoke keys within seconds, and prove that their tokens are refused."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from keyturn.aws.faults import AwsFault
from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.formatting import count
from keyturn.cli.options import DryRun, Reason, Yes
from keyturn.cli.preflight import (
    check_permissions,
    check_reason,
    direct_permissions,
    start_permission,
)
from keyturn.cli.revocation import Order, Revocation
from keyturn.cli.targets import Targets, jti_of
from keyturn.cli.terminal import CommandFailed, Terminal, UsageError
from keyturn.keyset import timing
from keyturn.keyset.cutoffs import Claim
from keyturn.keyset.model import EndedKey, Keyset


def command(
    terminal: Terminal,
    deployment: Deployment,
    reason: Reason,
    kids: Annotated[list[str] | None, typer.Argument(help="The kids to revoke.")] = None,
    active: Annotated[bool, typer.Option("--active", help="The active key.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every live key.")] = False,
    direct: Annotated[
        bool,
        typer.Option(
            "--direct",
            help="Break glass: with your credentials, without Step Functions and Lambda.",
        ),
    ] = False,
    cut_sessions: Annotated[
        bool, typer.Option("--cut-sessions", help="Also cut the issuer role's sessions.")
    ] = False,
    client: Annotated[
        list[str] | None, typer.Option(help="A client whose tokens are refused; repeatable.")
    ] = None,
    subject: Annotated[
        list[str] | None, typer.Option(help="A subject whose tokens are refused; repeatable.")
    ] = None,
    jti: Annotated[
        list[str] | None, typer.Option(help="The jti of a token to refuse; repeatable.")
    ] = None,
    token: Annotated[
        list[Path] | None,
        typer.Option(exists=True, help="The file of a token to refuse; repeatable."),
    ] = None,
    proof_token: Annotated[
        Path | None,
        typer.Option(exists=True, help="The file of a token to prove the revocation with."),
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Revoke keys, all tokens of a client or a subject, or single tokens, and prove it."""
    files = tuple(token or ())
    order = Order(
        kids=tuple(kids or ()),
        active=active,
        everything=everything,
        reason=check_reason(reason),
        direct=direct,
        cut_sessions=cut_sessions,
        proof_token=proof_token or next(iter(files), None),
        dry_run=dry_run,
        yes=yes,
        targets=Targets(
            clients=tuple(client or ()),
            subjects=tuple(subject or ()),
            jtis=(*(jti or ()), *map(jti_of, files)),
        ),
    )
    revoke(terminal, deployment, order)


def revoke(terminal: Terminal, deployment: Deployment, order: Order) -> None:
    """Resolve, show, confirm, revoke, prove; raises UsageError, CommandFailed."""
    keyset = deployment.keyset
    kids = resolve(keyset, order)
    _announce(terminal, deployment, keyset, kids, order)
    if order.dry_run:
        if order.direct:
            arns = [keyset.get(kid).kms_key_arn for kid in kids]
            permissions = direct_permissions(deployment, arns)
        else:
            permissions = start_permission(deployment)
        verdicts = check_permissions(terminal, deployment, permissions)
        terminal.result(
            {
                "dry_run": True,
                "kids": list(kids),
                "cutoffs": order.targets.request(),
                "permissions": verdicts,
            }
        )
        return
    if not order.yes:
        terminal.confirm(_warning(order))
    Revocation(terminal, deployment, order, keyset, kids).run()


def _warning(order: Order) -> str:
    if order.targets.released:
        return "The client gets tokens again."
    if order.targets.blocked:
        return "It stays blocked until `keyturn client release`."
    return "This cannot be undone."


def resolve(keyset: Keyset, order: Order) -> tuple[str, ...]:
    """Explicit kids, before anything starts, so that a retry never revokes the next active key."""
    selections = sum((bool(order.kids), order.active, order.everything))
    if selections > 1 or not (selections or order.targets):
        raise UsageError(
            "name KIDs, or --active, or --all; or tokens by --client, --subject, --jti or --token"
        )
    if order.active:
        if keyset.active is None:
            raise CommandFailed("no key is active: there is nothing to revoke")
        return (keyset.active.kid,)
    if order.everything:
        return tuple(key.kid for key in keyset.keys)
    unknown = [kid for kid in order.kids if keyset.find(kid) is None]
    if unknown:
        raise UsageError(f"not in the keyset: {', '.join(unknown)}")
    return order.kids


def _announce(
    terminal: Terminal, deployment: Deployment, keyset: Keyset, kids: tuple[str, ...], order: Order
) -> None:
    for kid in kids:
        key = keyset.get(kid)
        note = " (already: nothing will change)" if isinstance(key, EndedKey) else ""
        terminal.say(f"  {kid}  {key.state}{note}")
    if keyset.active and keyset.active.kid in kids:
        terminal.say(_describe_successor(deployment, keyset, kids))
    announce_targets(terminal, deployment, order.targets)
    bound = deployment.revocation_bound.total_seconds()
    means = "with your credentials" if order.direct else "by the state machine"
    terminal.say(
        f"Once revoked ({means}), every authorizer refuses them within {bound:.0f} s (C + G + ε)."
    )


def announce_targets(terminal: Terminal, deployment: Deployment, targets: Targets) -> None:
    """Print which tokens, how many of them the audit lines show, and what a cut-off does not do."""
    for name in targets.names:
        terminal.say(f"  {name}")
    if not (targets.clients or targets.subjects or targets.jtis or targets.blocked):
        return
    terminal.say("Tokens issued until now are refused; tokens issued later are good.")
    try:
        terminal.say(
            f"{count(count_live_tokens(deployment, targets), 'token')} of them may still be valid."
        )
    except AwsFault as fault:
        terminal.say(f"Cannot tell how many tokens that is: {fault}", "dim")
    terminal.say(
        "Verifiers that read only the JWKS do not see this. It does not help against a stolen "
        "signing key, whose thief can write any iat; then revoke the key.",
        "dim",
    )


def count_live_tokens(deployment: Deployment, targets: Targets) -> int:
    """How many matching, unexpired tokens the audit lines show; raises AwsFault."""
    now = deployment.clock.now().timestamp()
    lines = map(_parse_line, deployment.log_lines("token_issued"))
    return sum(
        type(line.get("exp")) is int
        and line["exp"] > now
        and targets.matches({**line, Claim.CLIENT: line.get("client")})
        for line in lines
    )


def _parse_line(line: str) -> Mapping[str, Any]:
    try:
        members = json.loads(line)
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}


def _describe_successor(deployment: Deployment, keyset: Keyset, kids: tuple[str, ...]) -> str:
    standby = keyset.standby
    if standby is None or standby.kid in kids:
        return (
            "A new key will be created and sign at once; other verifiers know it only after they "
            "have fetched the JWKS again."
        )
    times, now = deployment.settings.times, deployment.clock.now()
    if standby.published and now > timing.may_sign_after(standby.published, times):
        return f"The standby {standby.kid} will sign at once; verifiers know it already."
    return (
        f"The standby {standby.kid} will sign at once; it is so new that other verifiers may have to "
        "fetch the JWKS again."
    )
