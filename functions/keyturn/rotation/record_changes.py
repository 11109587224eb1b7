"""RecordChanges: each generation is told on the event bus and kept in the bucket, whoever wrote it.

SSM's own event wakes it as soon as a generation is there, on a best-effort basis; reconcile runs the
same later. What is kept has been told, so nothing is left out, and a repetition tells a thing twice.
"""

from collections.abc import Mapping
from typing import Any

from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import logger
from keyturn.keyset import document
from keyturn.keyset.changes import What, changes
from keyturn.keyset.model import Generation, Keyset
from keyturn.rotation.task import Outcome, rfc3339

DETAIL_TYPES = {
    What.PUBLISHED: "KeyPublished",
    What.ACTIVATED: "KeyActivated",
    What.RETIRED: "KeyRetired",
    What.REVOKED: "KeyRevoked",
}


def record_changes(stack: Stack) -> list[int]:
    """Tell and keep every stored generation that the bucket does not hold yet, in order."""
    stored = stack.keysets.stored()
    recorded = sorted(set(stored) - stack.history.numbers(since=min(stored, default=0)))
    for number in recorded:
        generation = stack.keysets.parsed(number, stored[number])
        stack.event_bus.put(_told(generation, _before(stack, number, stored)))
        stack.history.keep(number, stored[number])
    return recorded


def _told(generation: Generation, before: Keyset) -> list[tuple[str, Mapping[str, Any]]]:
    return [
        (
            DETAIL_TYPES[change.what],
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
        if change.what in DETAIL_TYPES
    ]


def _before(stack: Stack, number: int, stored: Mapping[int, str]) -> Keyset:
    text = stored.get(number - 1) or stack.history.read(number - 1)
    return document.loads(text).keyset if text else Keyset()


@logger.inject_lambda_context(clear_state=True)
def handler(_event: Mapping[str, Any], _context: object) -> Outcome:
    """The target of SSM's `Parameter Store Change`; what it says is read from SSM itself."""
    outcome: Outcome = {
        "outcome": "recorded",
        "generations": record_changes(Stack.of_environment()),
    }
    logger.info("record_changes", **outcome)
    return outcome
