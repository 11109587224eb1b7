"""RevokeKeys: revoke keys and cut off tokens, in one write, which is the execution's first.

If the active key is revoked, the standby becomes active in the same write. Cut-offs take their time
from the plan, so a step that is repeated or late does not cut off tokens issued since.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Metric
from keyturn.keyset import timing
from keyturn.keyset.capacity import CutOffsFull
from keyturn.keyset.cutoffs import Claim
from keyturn.keyset.model import Generation, Keyset
from keyturn.keyset.token_revocation import NotBlocked, OrderOvertaken, cut_off, release
from keyturn.keyset.transitions import revoke
from keyturn.rotation.task import EmergencyInput, Outcome, Step, measure_since_plan, task

_NO_CUTOFFS: Mapping[str, Any] = {"cut_off": {}, "block": (), "release": ()}


def run(stack: Stack, event: EmergencyInput) -> Outcome:
    """Outcome `revoked`. Unknown kids are listed as such; they do not hold up the others.

    Raises CutOffsFull, NotBlocked or OrderOvertaken only after the keys have been revoked.
    """
    try:
        generation, refusal = _write(stack, event), None
    except (CutOffsFull, NotBlocked, OrderOvertaken) as error:
        generation, refusal = _write(stack, event.model_copy(update=_NO_CUTOFFS)), error
    measure_since_plan(stack, event, Metric.REVOCATION_LATENCY)
    if refusal:
        raise refusal
    keyset = generation.keyset
    ended = [key.kid for key in keyset.ended if key.kid in event.kids]
    return {
        "outcome": "revoked",
        "generation": generation.number,
        "ended": ended,
        "unknown": [kid for kid in event.kids if kid not in ended],
        "active": keyset.active.kid if keyset.active else None,
    }


def _write(stack: Stack, event: EmergencyInput) -> Generation:
    times, limits = stack.times, stack.limits
    before = timing.cutoff_before(event.plan.at or stack.clock.now(), times)
    cutoffs, blocks = (
        list(_requested_cutoffs(event)),
        [(Claim.CLIENT, digest) for digest in event.block],
    )

    def change(keyset: Keyset, now: datetime) -> Keyset:
        known_kids = [kid for kid in event.kids if keyset.find(kid)]
        keyset = revoke(keyset, known_kids, now, times=times, limits=limits)
        keyset = release(keyset, event.release, before=before, times=times)
        keyset = cut_off(keyset, cutoffs, now, before=before, times=times, limits=limits)
        return cut_off(keyset, blocks, now, before=before, times=times, limits=limits, block=True)

    return stack.keysets.update(change, event.origin)


def _requested_cutoffs(event: EmergencyInput) -> Iterator[tuple[Claim, str]]:
    for claim, digests in event.cut_off.items():
        for digest in digests:
            yield claim, digest


handler = task(Step.REVOKE_KEYS, EmergencyInput, run)
