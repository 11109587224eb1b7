"""`keyturn rotate` and `keyturn rollback`: change the signing key, or undo that."""

from typing import Annotated

import typer

from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.follow import follow
from keyturn.cli.options import Detach, DryRun, Reason, Yes
from keyturn.cli.preflight import (
    ask_caller,
    check_permissions,
    check_reason,
    start_permission,
)
from keyturn.cli.terminal import CommandFailed, Terminal, UsageError
from keyturn.keyset import planning, timing
from keyturn.keyset.model import Key
from keyturn.keyset.planning import TakeoverReason
from keyturn.keyset.timing import Limits


def rotate(
    terminal: Terminal,
    deployment: Deployment,
    *,
    detach: Detach = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Rotate now, with all waits, if you suspect a key but have no proof."""
    keyset, times = deployment.keyset, deployment.settings.times
    if keyset.active is None:
        raise CommandFailed("no key is active: the next scheduled run or reconcile creates one")
    if keyset.standby and keyset.standby.published:
        takeover = planning.takeover(keyset, keyset.standby.published, times, Limits())
        seconds = max((takeover.after - deployment.clock.now()).total_seconds(), 0)
        is_full = takeover.reason is TakeoverReason.JWKS_FULL
        reason = ": the JWKS is full until a grace key retires" if is_full else ""
        terminal.say(f"The standby {keyset.standby.kid} may sign in {seconds:.0f} s{reason}.")
    else:
        wait = timing.publication_wait(times).total_seconds()
        terminal.say(f"There is no published standby: one is created and waits {wait:.0f} s.")
    grace = timing.grace_period(times, keyset.active.lifetime).total_seconds()
    terminal.say(f"Tokens of the active {keyset.active.kid} verify for {grace:.0f} s after that.")
    event = {"mode": "scheduled", "supersede": keyset.active.kid}
    _start(terminal, deployment, event, detach=detach, dry_run=dry_run, yes=yes)


def rollback(
    terminal: Terminal,
    deployment: Deployment,
    kid: Annotated[str, typer.Argument(help="The grace key that should sign again.")],
    *,
    reason: Reason,
    detach: Detach = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Make a superseded key sign again, while its tokens still verify."""
    key = deployment.keyset.find(kid)
    if key is None:
        raise UsageError(f"not in the keyset: {kid}")
    if not isinstance(key, Key) or key.verify_until is None:
        raise CommandFailed(f"key {kid} is {key.state}: only a grace key can be rolled back")
    limit = timing.roll_back_before(key.verify_until, deployment.settings.times)
    seconds = (limit - deployment.clock.now()).total_seconds()
    if seconds <= 0:
        raise CommandFailed(f"key {kid} could be rolled back only until {limit.isoformat()}")
    terminal.say(f"Key {kid} will sign again; this is possible for another {seconds:.0f} s.")
    event = {"mode": "rollback", "kid": kid, "reason": check_reason(reason)}
    _start(terminal, deployment, event, detach=detach, dry_run=dry_run, yes=yes)


def _start(
    terminal: Terminal,
    deployment: Deployment,
    event: dict[str, str],
    *,
    detach: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    if dry_run:
        verdicts = check_permissions(terminal, deployment, start_permission(deployment))
        terminal.result({"dry_run": True, "input": event, "permissions": verdicts})
        return
    if not yes:
        terminal.confirm("Valid tokens stay valid.")
    execution = deployment.start({**event, "started_by": ask_caller(deployment)()})
    terminal.say(f"Started {execution}; it continues if you interrupt this command.")
    if detach:
        terminal.result({"execution": execution})
        return
    states = follow(terminal, deployment, execution)
    keyset = deployment.keyset
    active = keyset.active.kid if keyset.active else None
    terminal.say(f"Ended in {states[-1]}; the active key is {active}.")
    terminal.result({"execution": execution, "ended": states[-1], "active": active})
    if states[-1] != "Rotated":
        raise CommandFailed(
            "the keyset had changed meanwhile: check `keyturn status` and decide again"
        )
