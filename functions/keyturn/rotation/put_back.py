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
from keyturn.rotation.branches import MAX_LISTED, read_ancestors

_MAX_READ = 10  # objects of one number


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that is free in SSM, or whose text was overwritten, and the text that belongs there."""

    number: int
    text: str
    overwritten: bool = False


def missing_generations(
    stack: Stack, parameters: list[StoredParameter], history: Sequence[HistoryObject]
) -> tuple[tuple[Missing, ...], Lineage | None]:
    """What is missing of what the history has (`history`), in order, and the lineage that it makes.

    Where nothing counts any more, the newest generation of the history does again. Raises NewerSchema.
    """
    existing = {
        parameter.number: parameter for parameter in parameters if parameter.number is not None
    }
    stored = {number: parameter for number, parameter in existing.items() if parameter.version == 1}
    lineage, missing = trace(stored.values()), list[Missing]()
    if lineage is None:
        root = _newest(stack, history)
        if root is None:
            return (), None
        missing.append(Missing(root.number, root.text, root.number in existing))
        lineage = Lineage.from_generation(root).extend(stored)
    while successor := _find_successor(stack, stored, lineage, history):
        skipped_numbers = range(lineage.next_number, successor.number)
        missing += [
            Missing(number, PLACEHOLDER) for number in skipped_numbers if number not in existing
        ]
        if successor.number not in stored:
            overwritten = successor.number in existing
            missing.append(Missing(successor.number, successor.text, overwritten))
        chain = (*lineage.chain, successor)
        lineage = Lineage(chain, successor.number + 1, lineage.rejections).extend(stored)
    return tuple(missing), lineage


def restore_generations(stack: Stack) -> list[int]:
    """Put back whatever is missing; returns the numbers. Raises NewerSchema, AwsFault.

    A listing can be torn by pruning, or garbled on its way: only a second one that says the same is
    believed. Where somebody wrote meanwhile the next run looks again.
    """
    parameters = stack.keysets.list_parameters()
    missing = _find_missing(stack, parameters)
    if not missing or stack.keysets.list_parameters() != parameters:
        return []
    try:
        return put_back(stack, missing)
    except Conflict:
        return []


def is_incomplete(stack: Stack) -> bool:
    """Whether something is missing that the history has; raises NewerSchema, AwsFault."""
    return bool(_find_missing(stack, stack.keysets.list_parameters()))


def put_back(stack: Stack, missing: tuple[Missing, ...]) -> list[int]:
    """Put these back; returns their numbers. Raises Conflict where a name was taken meanwhile."""
    for generation in missing:
        if generation.overwritten:
            stack.keysets.remove([f"{generation.number:012d}"])
        stack.keysets.put_back(generation.number, generation.text)
    return [generation.number for generation in missing]


def _find_missing(stack: Stack, parameters: list[StoredParameter]) -> tuple[Missing, ...]:
    numbers = [parameter.number for parameter in parameters if parameter.number is not None]
    bounds = (min(numbers), MAX_LISTED) if numbers else ()
    missing, _ = missing_generations(stack, parameters, stack.history.generations(*bounds))
    return missing


def _find_successor(
    stack: Stack,
    stored: Mapping[int, StoredParameter],
    lineage: Lineage,
    history: Sequence[HistoryObject],
) -> Generation | None:
    """What follows the newest that counts: what stands in SSM beyond a free name, else from the history.

    What stands could be written there only while the free name was taken by what does not count. Of two
    in the history it is the one that something standing descends from, else the older object. What is
    not chosen is a branch that can be joined; what stands may be on no record yet.
    """
    parent = document.digest(lineage.head.text)
    numbers = range(lineage.next_number, lineage.next_number + LOOK_AHEAD)

    def follows(generation: Generation) -> bool:
        return generation.parent == parent and not find_violation(lineage.head, generation)

    in_ssm = [
        generation
        for number in numbers
        if number in stored
        for generation in _parse(stored[number])
    ]
    if successor := next(filter(follows, in_ssm), None):
        return successor
    free_numbers = [number for number in numbers if number not in stored]
    recorded = (
        generation for number in free_numbers for generation in _recorded(stack, number, history)
    )
    candidates = [*filter(follows, recorded)]
    if len(candidates) < 2:
        return next(iter(candidates), None)
    ancestors = {
        ancestor.text
        for generation in in_ssm
        for ancestor in islice(read_ancestors(stack, generation), LOOK_AHEAD)
    }
    return next((one for one in candidates if one.text in ancestors), candidates[0])


def _parse(stored: StoredParameter) -> Iterator[Generation]:
    """The generation that a parameter holds."""
    with suppress(DocumentInvalid):
        generation = document.loads(stored.text)
        if generation.number == stored.number:
            yield generation


def _recorded(stack: Stack, number: int, history: Sequence[HistoryObject]) -> Iterator[Generation]:
    """What the history has under this number, the oldest object first."""
    for entry in islice((entry for entry in history if entry.number == number), _MAX_READ):
        with suppress(DocumentInvalid):
            yield stack.history.read(entry)


def _newest(stack: Stack, history: Sequence[HistoryObject]) -> Generation | None:
    """The newest of the history that follows its own parent there; without any, that can be read."""
    numbers = sorted({entry.number for entry in history if entry.number is not None}, reverse=True)
    by_digest = {entry.digest: entry for entry in history}
    newest = None
    recorded = (
        generation for number in numbers for generation in _recorded(stack, number, history)
    )
    for generation in recorded:
        newest = newest or generation
        with suppress(KeyError, DocumentInvalid):
            parent = stack.history.read(by_digest[generation.parent])
            if not find_violation(parent, generation):
                return generation
    return newest
