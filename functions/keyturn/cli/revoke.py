"""`keyturn revoke`: out within seconds, and proved."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from keyturn.aws.deployment import Deployment
from keyturn.aws.faults import AwsFault
from keyturn.aws.sessions import cut_sessions
from keyturn.cli.break_glass import run_directly
from keyturn.cli.follow import follow
from keyturn.cli.proof import new_token, prove
from keyturn.cli.terminal import BadUsage, Failed, Terminal
from keyturn.keyset.model import EndedKey, Keyset


@dataclass(frozen=True, slots=True)
class Order:
    """What the operator asked for."""

    kids: tuple[str, ...]
    active: bool
    everything: bool
    reason: str
    direct: bool
    cut_sessions: bool
    token_file: Path | None
    dry_run: bool
    yes: bool


def revoke(terminal: Terminal, deployment: Deployment, order: Order) -> None:
    """Resolve, show, ask, revoke, prove; raises BadUsage, Failed."""
    keyset = deployment.keyset
    kids = resolve(keyset, order)
    _announce(terminal, deployment, keyset, kids, order)
    if order.dry_run:
        terminal.result({"dry_run": True, "kids": list(kids)})
        return
    if not order.yes:
        terminal.confirm("This cannot be undone.")
    token = _token(terminal, deployment, keyset, kids, order)
    if order.cut_sessions:
        role = cut_sessions(deployment.stack, deployment.clock.now())
        terminal.say(f"Sessions of {role} are cut; its containers start anew.")

    event = {
        "mode": "emergency",
        "kids": list(kids),
        "reason": order.reason,
        "started_by": deployment.caller(),
    }
    since = deployment.clock.now()
    result: dict[str, Any] = {"kids": list(kids), "proof": None}
    if order.direct:
        run_directly(terminal, deployment, event)
    else:
        result["execution"] = deployment.start(event)
        terminal.say(f"Started {result['execution']}")
    if token:
        proof = prove(terminal, deployment, token, since)
        result["proof"] = asdict(proof)
        terminal.say(
            f"Proved: refused {proof.seconds:.1f} s after the command; the bound is {proof.bound:.0f} s."
        )
    if not order.direct:
        follow(terminal, deployment, result["execution"])
    _check(deployment, kids)
    terminal.say("Revoked.")
    terminal.result(result)


def resolve(keyset: Keyset, order: Order) -> tuple[str, ...]:
    """Explicit kids, before anything starts: a retry must never meet another active key."""
    if sum((bool(order.kids), order.active, order.everything)) != 1:
        raise BadUsage("name KIDs, or --active, or --all")
    if order.active:
        if keyset.active is None:
            raise Failed("no key is active: there is nothing to revoke")
        return (keyset.active.kid,)
    if order.everything:
        return tuple(key.kid for key in keyset.keys)
    unknown = [kid for kid in order.kids if keyset.find(kid) is None]
    if unknown:
        raise BadUsage(f"not in the keyset: {', '.join(unknown)}")
    return order.kids


def _announce(
    terminal: Terminal, deployment: Deployment, keyset: Keyset, kids: tuple[str, ...], order: Order
) -> None:
    for kid in kids:
        key = keyset.get(kid)
        already = " (already: nothing will change)" if isinstance(key, EndedKey) else ""
        terminal.say(f"  {kid}  {key.state}{already}")
    if keyset.active and keyset.active.kid in kids:
        heir = keyset.standby.kid if keyset.standby and keyset.standby.kid not in kids else None
        if heir:
            terminal.say(f"The standby {heir} signs at once; verifiers know it already.")
        else:
            terminal.say(
                "A new key will be made and sign at once; third parties see it only when they "
                "refetch the JWKS."
            )
    bound = deployment.revocation_bound.total_seconds()
    way = "by hand, with your credentials" if order.direct else "by the state machine"
    terminal.say(f"Refused everywhere within {bound:.0f} s (C + G + ε), {way}.")


def _token(
    terminal: Terminal, deployment: Deployment, keyset: Keyset, kids: tuple[str, ...], order: Order
) -> str | None:
    if order.token_file:
        return order.token_file.read_text().strip()
    if not (keyset.active and keyset.active.kid in kids):
        terminal.say("To prove it takes a token of these keys: give one with --token-file.")
        return None
    try:
        return new_token(deployment)
    except (Failed, AwsFault) as error:  # a revocation waits for no proof
        terminal.say(f"It cannot be proved: {error}")
        return None


def _check(deployment: Deployment, kids: tuple[str, ...]) -> None:
    keyset = deployment.keyset
    left = [kid for kid in kids if not isinstance(keyset.find(kid), EndedKey | None)]
    if left:
        raise Failed(f"still live after all: {', '.join(left)}")
