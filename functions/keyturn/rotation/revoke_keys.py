"""RevokeKeys: one write, the execution's first: these keys are out, and the standby signs if need be."""

from datetime import datetime

from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Metric
from keyturn.keyset.model import Keyset
from keyturn.keyset.transitions import revoke
from keyturn.rotation.task import EmergencyInput, Outcome, measure_since_plan, task


def run(stack: Stack, event: EmergencyInput) -> Outcome:
    """Outcome `revoked`; kids that no keyset knows are named, and hold nothing up."""

    def change(keyset: Keyset, now: datetime) -> Keyset:
        known = [kid for kid in event.kids if keyset.find(kid)]
        return revoke(keyset, known, now, times=stack.times, limits=stack.limits)

    generation = stack.keysets.update(change, event.origin)

    measure_since_plan(stack, event, Metric.REVOCATION_LATENCY)
    keyset = generation.keyset
    ended = [key.kid for key in keyset.ended if key.kid in event.kids]
    return {
        "outcome": "revoked",
        "generation": generation.number,
        "ended": ended,
        "unknown": [kid for kid in event.kids if kid not in ended],
        "active": keyset.active.kid if keyset.active else None,
    }


handler = task(EmergencyInput, run)
