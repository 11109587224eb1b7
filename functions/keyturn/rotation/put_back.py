"""Restore deleted or overwritten generations from the history, in order and unchanged.

Each generation names its parent by the hash of its text, so only lawful successors are restored:
first the successor of the newest generation that counts, then the successor of that one, and so on.
If the history has two, an ancestor of what SSM has is restored, else the older object. Where the
lineage had stepped over a text that is now gone, a placeholder takes its name again. If a name is
taken meanwhile, restoring ends: another writer was faster.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from keyturn.aws.faults import Conflict
from keyturn.aws.keyset.history import HistoryObject
from keyturn.aws.keyset.reader import LOOK_AHEAD
from keyturn.aws.keyset.store import PLACEHOLDER
from keyturn.aws.stack import Stack
from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid
from keyturn.keyset.lineage import Lineage, StoredParameter, trace
from keyturn.keyset.model import Generation
from keyturn.keyset.succession import find_violation
from keyturn.rotation.branches import MAX_LISTED, read_ancestors

_MAX_READ = 10  # objects of one number


@dataclass(frozen=True, slots=True)
class MissingGeneration:
    """A name that is free in SSM, or was overwritten, and the text that belongs there."""

    number: int
    text: str
    overwritten: bool = False


def missing_generations(
    stack: Stack, parameters: list[StoredParameter], history: Sequence[HistoryObject]
) -> tuple[tuple[MissingGeneration, ...], Lineage | None]:
    """What SSM lacks of the generations in `history`, in order, and the lineage once restored.

    If nothing in SSM counts, the newest generation of the history becomes the root. Raises
    NewerSchema.
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
    """Restore whatever is missing; returns the numbers. Raises NewerSchema, AwsFault.

    Pruning can tear a listing, and a listing can arrive garbled, so it takes two identical ones. If
    another writer was faster, nothing more is restored until the next run.
    """
    parameters = stack.keysets.list_parameters()
    missing = _find_missing(stack, parameters)
    if not missing or stack.keysets.list_parameters() != parameters:
        return []
    try:
        return put_back(stack, missing)
    except Conflict:
        return []


def is_incomplete(stack: Stack, parameters: list[StoredParameter]) -> bool:
    """Whether SSM lacks a generation that the history has; raises NewerSchema, AwsFault."""
    return bool(_find_missing(stack, parameters))


def put_back(stack: Stack, missing: tuple[MissingGeneration, ...]) -> list[int]:
    """Restore these generations; returns their numbers. Raises Conflict if a name is taken."""
    for generation in missing:
        if generation.overwritten:
            stack.keysets.remove([f"{generation.number:012d}"])
        stack.keysets.put_back(generation.number, generation.text)
    return [generation.number for generation in missing]


def _find_missing(stack: Stack, parameters: list[StoredParameter]) -> tuple[MissingGeneration, ...]:
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
    """The successor of the lineage's head: one in SSM above a free name, else one from the history.

    A successor in SSM comes first, because it may not be in the history yet. It could only be
    written there while the free name below it was taken by something that does not count. If the
    history has several, an ancestor of a generation in SSM comes first, else the older object.
    Those not chosen remain as branches, which can be joined.
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
    """The generation that a parameter holds, if it holds one."""
    with suppress(DocumentInvalid):
        generation = document.loads(stored.text)
        if generation.number == stored.number:
            yield generation


def _recorded(stack: Stack, number: int, history: Sequence[HistoryObject]) -> Iterator[Generation]:
    """The generations in the history with this number, the oldest object first."""
    for entry in islice((entry for entry in history if entry.number == number), _MAX_READ):
        with suppress(DocumentInvalid):
            yield stack.history.read(entry)


def _newest(stack: Stack, history: Sequence[HistoryObject]) -> Generation | None:
    """The newest generation in the history that lawfully follows its parent there.

    If none does, the newest one that can be read.
    """
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
