"""ActivateKey: the standby starts to sign; the key it supersedes only verifies from then on."""

from datetime import datetime

from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Metric
from keyturn.keyset import timing
from keyturn.keyset.model import Generation, Key, Keyset, Origin
from keyturn.keyset.transitions import activate
from keyturn.rotation.task import Outcome, StandbyInput, Step, measure_since_plan, rfc3339, task


def run(stack: Stack, event: StandbyInput) -> Outcome:
    """Outcome `activated`, with the time from which the superseded key may retire.

    `activated_without_grace` if no superseded key is in grace. Refusals: `too_early`, `overtaken`.
    """
    kid, supersede = event.standby.kid, event.plan.supersede

    def change(keyset: Keyset, now: datetime) -> Keyset:
        return activate(
            keyset, kid, now, supersede=supersede, times=stack.times, limits=stack.limits
        )

    generation = stack.keysets.update(change, event.origin)
    if not _is_own_activation(stack, generation, kid, event.origin):
        return {"outcome": "overtaken", "reason": f"another operation activated key {kid}"}

    measure_since_plan(stack, event, Metric.ROTATION_DURATION)
    return describe_activation(stack, generation, kid, supersede)


def describe_activation(
    stack: Stack, generation: Generation, kid: str, supersede: str | None
) -> Outcome:
    """The outcome once `kid` signs: if a key was superseded, the workflow waits for its tokens."""
    superseded = generation.keyset.find(supersede) if supersede else None
    outcome = {"kid": kid, "generation": generation.number}
    if isinstance(superseded, Key) and superseded.verify_until:
        retirable_after = timing.retire_after(superseded.verify_until, stack.times)
        retire_at = timing.wake_after(retirable_after, stack.times)
        return {"outcome": "activated", **outcome, "retire_at": rfc3339(retire_at)}
    return {"outcome": "activated_without_grace", **outcome}


def _is_own_activation(stack: Stack, latest: Generation, kid: str, origin: Origin) -> bool:
    """Whether this operation activated the key, now or in an earlier attempt whose reply was lost.

    A duplicate run finds the change already made by the other run, and must stop.
    """
    if latest.op_id == origin.op_id:
        return True
    for generation in stack.keysets.read_generations():
        if generation.keyset.active and generation.keyset.active.kid == kid:
            return generation.op_id == origin.op_id
    return False


handler = task(Step.ACTIVATE_KEY, StandbyInput, run)
