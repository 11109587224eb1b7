"""RecordChanges: announce each generation on the event bus and record it in the bucket.

SSM's change event starts it when a generation is written. These events are best-effort, so
reconcile does the same later. A generation is announced before it is recorded: no event is lost,
but a repeated run can announce a change twice. A generation counts as recorded only if its exact
text is stored under the name of its digest (docs/decisions/0021). Then it may be pruned from SSM,
so that readers have fewer pages to read.
"""

from collections.abc import Callable, Mapping
from typing import Any

from keyturn.aws.faults import AwsFault
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Metric, measure
from keyturn.keyset.changes import ChangeKind, changes, new_cutoffs
from keyturn.keyset.cutoffs import CutOff
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import Generation, Keyset, Origin
from keyturn.rotation.branches import read_ancestors
from keyturn.rotation.prune_generations import prune_generations
from keyturn.rotation.put_back import restore_generations
from keyturn.rotation.repairs import Repair
from keyturn.rotation.task import Outcome, rfc3339
from keyturn.rotation.unlawful import remove_unlawful, step_over

DETAIL_TYPES = {
    ChangeKind.PUBLISHED: "KeyPublished",
    ChangeKind.ACTIVATED: "KeyActivated",
    ChangeKind.RETIRED: "KeyRetired",
    ChangeKind.REVOKED: "KeyRevoked",
}
TOKENS_REVOKED = "TokensRevoked"


class RecordFailed(Exception):
    """Some steps failed; all others were carried out."""


def record_changes(stack: Stack) -> list[int]:
    """Announce and record, in order, every generation that counts and is not in the bucket yet."""
    chain = stack.keysets.read_generations()
    unrecorded = [generation for generation in chain if not stack.history.holds(generation)]
    for generation in unrecorded:
        stack.event_bus.put(_build_events(generation, _keyset_before(stack, chain, generation)))
        if stack.history.keep(generation.number, generation.text):
            logger.warning("history_overwritten", generation=generation.number)
            measure(Metric.FOREIGN_OBJECTS)
    return [generation.number for generation in unrecorded]


def _keyset_before(stack: Stack, chain: tuple[Generation, ...], generation: Generation) -> Keyset:
    """The keyset before a generation; empty if it is the first or its parent cannot be found."""
    index = chain.index(generation)
    if index:
        return chain[index - 1].keyset
    parent = next(read_ancestors(stack, generation), None)
    return parent.keyset if parent else Keyset()


def _build_events(generation: Generation, before: Keyset) -> list[tuple[str, Mapping[str, Any]]]:
    origin = {
        "generation": generation.number,
        "at": rfc3339(generation.at),
        "op_id": generation.op_id,
        "started_by": generation.started_by,
        "reason": generation.reason,
    }
    of_keys = [
        (DETAIL_TYPES[change.kind], {"kid": change.kid, **origin})
        for change in changes(before, generation.keyset)
        if change.kind in DETAIL_TYPES
    ]
    of_tokens = [
        (TOKENS_REVOKED, {**_detail(cutoff), **origin})
        for cutoff in new_cutoffs(before, generation.keyset)
    ]
    return [*of_keys, *of_tokens]


def _detail(cutoff: CutOff) -> Mapping[str, Any]:
    """Which tokens are refused; `until` is null for a blocked client."""
    return {
        "claim": cutoff.claim,
        "digest": cutoff.digest,
        "issued_before": rfc3339(cutoff.before),
        "until": rfc3339(cutoff.until) if cutoff.until else None,
    }


def run(stack: Stack) -> Outcome:
    """Try every step, then raise RecordFailed if one failed, so that Lambda retries."""
    origin = Origin(stack.clock.new_id(), "record_changes", "step_over")
    steps: Mapping[str, Callable[[], Any]] = {
        "restored": lambda: _restore(stack, origin),
        "unlawful": lambda: remove_unlawful(stack),
        "stepped_over": lambda: step_over(stack, origin),
        "generations": lambda: record_changes(stack),
        "pruned": lambda: prune_generations(stack),
    }
    outcome: dict[str, Any] = {"outcome": "recorded"}
    failures = []
    for name, step in steps.items():
        try:
            outcome[name] = step()
        except (AwsFault, KeysetFault) as fault:
            failures.append(f"{name}: {fault}")
    if failures:
        raise RecordFailed("; ".join(failures))
    return outcome


def _restore(stack: Stack, origin: Origin) -> list[int]:
    restored = restore_generations(stack)
    if restored:
        repairs = {Repair.RESTORE_GENERATIONS: restored}
        stack.event_bus.put([("DriftRepaired", {"op_id": origin.op_id, "repairs": repairs})])
    return restored


@logger.inject_lambda_context(clear_state=True)
def handler(_event: Mapping[str, Any], _context: object) -> Outcome:
    """The target of SSM's `Parameter Store Change` events; the event is ignored and SSM is read."""
    outcome = run(Stack.from_environment())
    logger.info("record_changes", **outcome)
    return outcome
