"""RetireKey: no token of the superseded key can be alive, so it leaves the keyset."""

from datetime import datetime

from keyturn.aws.stack import Stack
from keyturn.keyset import timing
from keyturn.keyset.errors import TooEarly
from keyturn.keyset.model import Keyset
from keyturn.keyset.transitions import retire
from keyturn.rotation.task import Outcome, SupersedingInput, rfc3339, task


def run(stack: Stack, event: SupersedingInput) -> Outcome:
    """Outcome `retired`; `too_early` with the instant to wait for; `overtaken` as a refusal."""
    kid = event.plan.supersede

    def change(keyset: Keyset, now: datetime) -> Keyset:
        return retire(keyset, kid, now, times=stack.times, ages=stack.ages)

    try:
        generation = stack.keysets.update(change, event.origin)
    except TooEarly as refusal:  # woken early, or rolled back and superseded anew meanwhile
        retire_at = rfc3339(timing.wake_after(refusal.until))
        return {"outcome": "too_early", "retire_at": retire_at}
    return {"outcome": "retired", "kid": kid, "generation": generation.number}


handler = task(SupersedingInput, run)
