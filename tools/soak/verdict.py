"""The result of a soak: figures, and the promises that they are checked against."""

from collections import Counter
from dataclasses import dataclass

from keyturn.aws.operator.deployment import Deployment
from keyturn.keyset.timing import Times
from tools.demo.story import live_states
from tools.soak.load import Load, Refusal
from tools.soak.operator import Operator
from tools.soak.watch import ENDED, Watch

_DOCUMENT, _JWKS = 4_096, 10  # bytes; keys
_PRUNED_AFTER, _NEVER_PRUNED = 75 * 60, 5  # seconds: an hour, and reconcile's turns; generations


@dataclass(frozen=True)
class Line:
    """One line of the table; `held` is None for a figure without a promise."""

    what: str
    figure: str
    held: bool | None = None


def kinds(load: Load, watch: Watch, times: Times) -> Counter[str]:
    """Every refusal by its reason: revoked, alone (docs/time.md), or a valid token refused."""
    return Counter(_kind(refusal, watch, times) for refusal in list(load.refusals))


def _kind(refusal: Refusal, watch: Watch, times: Times) -> str:
    revoked = watch.revoked.get(refusal.kid)
    if revoked is not None and refusal.arrived >= revoked - 1 - times.write_delay:
        return "revoked"
    if refusal.status >= 500:
        return "fault"
    since = watch.alone.get(refusal.kid)
    if since is not None and refusal.sent <= since + times.view_ttl + times.clock_skew:
        return "alone"
    return "valid"


def accepted_past_bound(load: Load, watch: Watch, bound: float) -> int:
    """Calls with a revoked key's token that were sent after the bound and let in."""
    return sum(
        sent > revoked + bound
        for kid, revoked in watch.revoked.items()
        for sent in load.acceptances.get(kid, [])
    )


def verdict(
    deployment: Deployment, load: Load, watch: Watch, operator: Operator, unsettled: list[str]
) -> list[Line]:
    """The table, when all has ended."""
    bound = deployment.revocation_bound.total_seconds()
    refusals = kinds(load, watch, deployment.settings.times)
    late = accepted_past_bound(load, watch, bound)
    outages = [until - since for since, until in load.outages]
    statuses = _statuses(deployment)
    failed = [c for c in operator.commands if c.process.returncode]
    size = watch.largest_document
    stored, old = watch.stored_and_old(_PRUNED_AFTER)
    unclaimed = watch.unclaimed_keys()
    states = live_states(deployment.keyset)
    unexplained = [key.arn for key in unclaimed if not key.explained]
    faults = {name: count for name, count in load.answers.items() if " 5" in name}
    all_keys = sum(command.flag == "--all" for command in operator.commands)
    return [
        Line("rotations started", str(operator.rotations), not operator.actions),
        Line("emergencies started", f"{len(operator.commands)}, {all_keys} of them --all"),
        Line("executions", ", ".join(f"{n} {status}" for status, n in statuses.items())),
        Line("still running", str(len(unsettled)), not unsettled),
        Line("commands that failed", _named([c.log.name for c in failed]), not failed),
        Line("tokens issued", f"{load.issued:,}"),
        Line("calls with them", f"{load.shown:,}"),
        Line("valid tokens refused", str(refusals["valid"]), refusals["valid"] == 0),
        Line("revoked tokens refused", str(refusals["revoked"])),
        Line("refused while young and alone, up to C + ε", str(refusals["alone"])),
        Line("revoked tokens accepted past the bound", str(late), late == 0),
        Line("calls answered 5xx", str(faults or 0)),
        Line(
            "outages of the issuer",
            f"{len(outages)}, longest {max(outages, default=0):.1f} s, {sum(outages):.1f} s in all",
        ),
        Line("generations", str(watch.generations)),
        Line("largest document", f"{size} bytes", size <= _DOCUMENT),
        Line("largest JWKS", f"{watch.largest_jwks} keys", watch.largest_jwks <= _JWKS),
        Line("parameters stored", f"{stored}, {old} past pruning", old <= _NEVER_PRUNED),
        Line("reads that failed", _named(watch.problems), not watch.problems),
        Line("unclaimed KMS keys", str(len(unclaimed))),
        Line("… without a reason", _named(unexplained), not unexplained),
        Line("live keys", ", ".join(states), {"active", "standby"} <= set(states)),
    ]


def failures(deployment: Deployment) -> list[str]:
    """The executions that failed, and why."""
    machine = deployment.outputs["StateMachineArn"]
    return [
        f"{e.status} {e.arn.rsplit(':', 1)[1]}: {deployment.executions.cause(e.arn)[:300]}"
        for status in ENDED[1:]
        for e in deployment.executions.latest(machine, status)
    ]


def _statuses(deployment: Deployment) -> dict[str, int]:
    machine = deployment.outputs["StateMachineArn"]
    counts = {s: len(deployment.executions.latest(machine, s)) for s in ("RUNNING", *ENDED)}
    return {status: count for status, count in counts.items() if count}


def _named(names: list[str]) -> str:
    return f"{len(names)}: {', '.join(names[:5])}" if names else "0"
