"""RetireKey: retire the superseded key once all its tokens have expired."""

from datetime import datetime

from keyturn.aws.stack import Stack
from keyturn.keyset.model import Keyset
from keyturn.keyset.transitions import retire
from keyturn.rotation.task import Outcome, Step, SupersedingInput, task


def run(stack: Stack, event: SupersedingInput) -> Outcome:
    """Outcome `retired`; `too_early` leads to another wait, `overtaken` back to the plan."""
    kid = event.plan.supersede

    def change(keyset: Keyset, now: datetime) -> Keyset:
        return retire(keyset, kid, now, times=stack.times, limits=stack.limits)

    generation = stack.keysets.update(change, event.origin)
    return {"outcome": "retired", "kid": kid, "generation": generation.number}


handler = task(Step.RETIRE_KEY, SupersedingInput, run)
