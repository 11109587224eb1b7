"""Generations that were deleted or overwritten come back from the history, in order and as they were.

Each names its parent by the hash of its text, so only what may have followed comes back: first what follows
the newest that counts, then what follows that. Of two in the history the older object does. Where the lineage stepped over a text that is gone, a
placeholder takes its name again. A name that is taken meanwhile ends it: somebody wrote.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from keyturn.aws.faults import Conflict
from keyturn.aws.history import HistoryObject
from keyturn.aws.keyset_reader import LOOK_AHEAD
from keyturn.aws.keyset_store import PLACEHOLDER
from keyturn.aws.stack import Stack
from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid
from keyturn.keyset.lineage import Lineage, StoredParameter, trace
from keyturn.keyset.model import Generation
from keyturn.keyset.succession import find_violation
from keyturn.rotation.branches import MAX_LISTED

_MAX_READ = 10  # objects of one number


@dataclass(frozen=True, slots=True)
class MissingGeneration:
    """A name that is free in SSM, or whose text was overwritten, and the text that belongs there."""

    number: int
    text: str
    overwritten: bool = False


def missing_generations(
    stack: Stack, parameters: list[StoredParameter], history: Sequence[HistoryObject]
) -> tuple[tuple[MissingGeneration, ...], Lineage | None]:
    """What is missing of what the history has (`kept`), in order, and the lineage that it makes.

    Where nothing counts any more, the newest generation of the history does again. Raises NewerSchema.
    """
    existing = {
        parameter.number: parameter for parameter in parameters if parameter.number is not None
    }
    stored = {number: parameter for number, parameter in existing.items() if parameter.version == 1}
    lineage, missing = trace(stored.values()), list[MissingGeneration]()
    if lineage is None:
        root = _newest(stack, history)
        if root is None:
            return (), None
        missing.append(MissingGeneration(root.number, root.text, root.number in existing))
        lineage = Lineage.from_generation(root).extend(stored)
    while successor := _find_successor(stack, stored, lineage, history):
        skipped_numbers = range(lineage.next_number, successor.number)
        missing += [
            MissingGeneration(number, PLACEHOLDER)
            for number in skipped_numbers
            if number not in existing
        ]
        if successor.number not in stored:
            overwritten = successor.number in existing
            missing.append(MissingGeneration(successor.number, successor.text, overwritten))
        chain = (*lineage.chain, successor)
        lineage = Lineage(chain, successor.number + 1, lineage.rejections).extend(stored)
    return tuple(missing), lineage


def restore_generations(stack: Stack) -> list[int]:
    """Put back whatever is missing; returns the numbers. Raises NewerSchema, AwsFault.

    A listing can be torn by pruning, or garbled on its way: only a second one that says the same is
    believed. Where somebody wrote meanwhile the next run looks again.
    """
    parameters = stack.keysets.list_parameters()
    numbers = [parameter.number for parameter in parameters if parameter.number is not None]
    bounds = (min(numbers), MAX_LISTED) if numbers else ()
    missing, _ = missing_generations(stack, parameters, stack.history.generations(*bounds))
    if not missing or stack.keysets.list_parameters() != parameters:
        return []
    try:
        return put_back(stack, missing)
    except Conflict:
        return []


def put_back(stack: Stack, missing: tuple[MissingGeneration, ...]) -> list[int]:
    """Put these back; returns their numbers. Raises Conflict where a name was taken meanwhile."""
    for generation in missing:
        if generation.overwritten:
            stack.keysets.remove([f"{generation.number:012d}"])
        stack.keysets.put_back(generation.number, generation.text)
    return [generation.number for generation in missing]


def _find_successor(
    stack: Stack,
    stored: Mapping[int, StoredParameter],
    lineage: Lineage,
    history: Sequence[HistoryObject],
) -> Generation | None:
    """What follows the newest that counts, from SSM beyond a free name, or from the history."""
    parent = document.digest(lineage.head.text)
    for number in range(lineage.next_number, lineage.next_number + LOOK_AHEAD):
        for generation in _candidates(stack, number, stored.get(number), history):
            if generation.parent == parent and not find_violation(lineage.head, generation):
                return generation
    return None


def _candidates(
    stack: Stack, number: int, stored: StoredParameter | None, history: Sequence[HistoryObject]
) -> Iterator[Generation]:
    """What can be read under this number: in SSM, then in the history, the oldest object first."""
    if stored:
        with suppress(DocumentInvalid):
            generation = document.loads(stored.text)
            if generation.number == number:
                yield generation
        return
    for entry in islice((entry for entry in history if entry.number == number), _MAX_READ):
        with suppress(DocumentInvalid):
            yield stack.history.read(entry)


def _newest(stack: Stack, history: Sequence[HistoryObject]) -> Generation | None:
    """The newest of the history that follows its own parent there; without any, that can be read."""
    numbers = sorted({entry.number for entry in history if entry.number is not None}, reverse=True)
    by_digest = {entry.digest: entry for entry in history}
    newest = None
    for number in numbers:
        for generation in _candidates(stack, number, None, history):
            newest = newest or generation
            with suppress(KeyError, DocumentInvalid):
                parent = stack.history.read(by_digest[generation.parent])
                if not find_violation(parent, generation):
                    return generation
    return newest
