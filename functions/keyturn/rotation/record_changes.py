"""RecordChanges: each generation is announced on the event bus and kept in the bucket.

SSM's own event wakes it as soon as a generation is there, on a best-effort basis; reconcile runs the
same later. What is kept was announced, so no event is lost, and a repetition announces a change twice.
What is kept may be pruned from SSM: the fewer generations there are, the fewer pages a reader reads.
"""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.keyset import document
from keyturn.keyset.changes import ChangeKind, changes
from keyturn.keyset.errors import DocumentInvalid, NewerSchema
from keyturn.keyset.model import Generation, Keyset
from keyturn.rotation.task import Outcome, rfc3339

DETAIL_TYPES = {
    ChangeKind.PUBLISHED: "KeyPublished",
    ChangeKind.ACTIVATED: "KeyActivated",
    ChangeKind.RETIRED: "KeyRetired",
    ChangeKind.REVOKED: "KeyRevoked",
}
_KEPT_GENERATIONS = 5  # the highest and four older ones


def record_changes(stack: Stack) -> list[int]:
    """Announce and keep every readable generation that the bucket does not hold yet, in order."""
    stored = stack.keysets.stored()
    generations = _readable(stack, stored)
    kept = stack.history.numbers(since=min(stored, default=0))
    numbers = [number for number in generations if number not in kept]
    for number in numbers:
        before = generations.get(number - 1) or _kept(stack, number - 1)
        events = _events(generations[number], before.keyset if before else Keyset())
        stack.event_bus.put(events)
        stack.history.keep(number, stored[number])
    return numbers


def prune_generations(stack: Stack) -> list[int]:
    """Delete from SSM the generations that are old, or too many, once the bucket holds them.

    From the lowest on and without gaps, so that a generation that is there vouches for all above.
    """
    stored = stack.keysets.stored()
    generations = _readable(stack, stored)
    surplus = len(stored) - stack.limits.generations
    oldest = stack.clock.now() - stack.limits.generation
    candidates = list(generations.values())[:-_KEPT_GENERATIONS]
    over = takewhile(
        lambda indexed: indexed[0] < surplus or indexed[1].at < oldest, enumerate(candidates)
    )
    numbers = [generation.number for _, generation in over]
    kept = stack.history.numbers(since=numbers[0]) if numbers else set()
    pruned = list(takewhile(kept.__contains__, numbers))
    for number in pruned:
        if stack.history.read(number) != stored[number]:  # a write that did not count
            logger.warning("stray_generation", number=number, document=stored[number])
    stack.keysets.delete(pruned)
    return pruned


def _readable(stack: Stack, stored: Mapping[int, str]) -> dict[int, Generation]:
    """The stored generations, the lowest first; raises NewerSchema.

    One that cannot be read says nothing that could be announced: it is left to `keyturn repair`.
    """
    generations = {}
    for number, text in sorted(stored.items()):
        try:
            generations[number] = stack.keysets.parsed(number, text)
        except NewerSchema:
            raise
        except DocumentInvalid as error:
            logger.warning("unreadable_generation", number=number, reason=str(error))
    return generations


def _kept(stack: Stack, number: int) -> Generation | None:
    text = stack.history.read(number)
    return document.loads(text) if text else None


def _events(generation: Generation, before: Keyset) -> list[tuple[str, Mapping[str, Any]]]:
    return [
        (
            DETAIL_TYPES[change.kind],
            {
                "kid": change.kid,
                "generation": generation.number,
                "at": rfc3339(generation.at),
                "op_id": generation.op_id,
                "started_by": generation.started_by,
                "reason": generation.reason,
            },
        )
        for change in changes(before, generation.keyset)
        if change.kind in DETAIL_TYPES
    ]


@logger.inject_lambda_context(clear_state=True)
def handler(_event: Mapping[str, Any], _context: object) -> Outcome:
    """The target of SSM's `Parameter Store Change`; what it says is read from SSM itself."""
    stack = Stack.from_environment()
    recorded, pruned = record_changes(stack), prune_generations(stack)
    outcome: Outcome = {"outcome": "recorded", "generations": recorded, "pruned": pruned}
    logger.info("record_changes", **outcome)
    return outcome
