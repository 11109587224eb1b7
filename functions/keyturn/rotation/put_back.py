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
from keyturn.aws.keyset_reader import AHEAD
from keyturn.aws.keyset_store import PLACEHOLDER
from keyturn.aws.stack import Stack
from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid
from keyturn.keyset.lineage import Lineage, Stored, trace
from keyturn.keyset.model import Generation
from keyturn.keyset.succession import objection
from keyturn.rotation.branches import MOST_LISTED, ancestors

_MOST_READ = 10  # objects of one number


@dataclass(frozen=True, slots=True)
class Missing:
    """A name that is free in SSM, or whose text was overwritten, and the text that belongs there."""

    number: int
    text: str
    overwritten: bool = False


def missing_generations(
    stack: Stack, parameters: list[Stored], kept: Sequence[HistoryObject]
) -> tuple[tuple[Missing, ...], Lineage | None]:
    """What is missing of what the history has (`kept`), in order, and the lineage that it makes.

    Where nothing counts any more, the newest generation of the history does again. Raises NewerSchema.
    """
    standing = {one.number: one for one in parameters if one.number is not None}
    stored = {number: one for number, one in standing.items() if one.version == 1}
    lineage, missing = trace(stored.values()), list[Missing]()
    if lineage is None:
        root = _newest(stack, kept)
        if root is None:
            return (), None
        missing.append(Missing(root.number, root.text, root.number in standing))
        lineage = Lineage.of_one(root).extended(stored)
    while following := _following(stack, stored, lineage, kept):
        taken = range(lineage.free, following.number)
        missing += [Missing(free, PLACEHOLDER) for free in taken if free not in standing]
        if following.number not in stored:
            overwritten = following.number in standing
            missing.append(Missing(following.number, following.text, overwritten))
        longer = (*lineage.chain, following)
        lineage = Lineage(longer, following.number + 1, lineage.ignored).extended(stored)
    return tuple(missing), lineage


def restore_generations(stack: Stack) -> list[int]:
    """Put back whatever is missing; returns the numbers. Raises NewerSchema, AwsFault.

    A listing can be torn by pruning, or garbled on its way: only a second one that says the same is
    believed. Where somebody wrote meanwhile the next run looks again.
    """
    parameters = stack.keysets.parameters()
    missing = _missing(stack, parameters)
    if not missing or stack.keysets.parameters() != parameters:
        return []
    try:
        return put_back(stack, missing)
    except Conflict:
        return []


def is_incomplete(stack: Stack) -> bool:
    """Whether something is missing that the history has; raises NewerSchema, AwsFault."""
    return bool(_missing(stack, stack.keysets.parameters()))


def put_back(stack: Stack, missing: tuple[Missing, ...]) -> list[int]:
    """Put these back; returns their numbers. Raises Conflict where a name was taken meanwhile."""
    for one in missing:
        if one.overwritten:
            stack.keysets.remove([f"{one.number:012d}"])
        stack.keysets.put_back(one.number, one.text)
    return [one.number for one in missing]


def _missing(stack: Stack, parameters: list[Stored]) -> tuple[Missing, ...]:
    numbers = [one.number for one in parameters if one.number is not None]
    bounds = (min(numbers), MOST_LISTED) if numbers else ()
    missing, _ = missing_generations(stack, parameters, stack.history.generations(*bounds))
    return missing


def _following(
    stack: Stack,
    stored: Mapping[int, Stored],
    lineage: Lineage,
    kept: Sequence[HistoryObject],
) -> Generation | None:
    """What follows the newest that counts: what stands in SSM beyond a free name, else from the history.

    What stands could be written there only while the free name was taken by what does not count. Of two
    in the history it is the one that something standing descends from, else the older object. What is
    not chosen is a branch that can be joined; what stands may be on no record yet.
    """
    parent, near = document.digest(lineage.head.text), range(lineage.free, lineage.free + AHEAD)

    def follows(generation: Generation) -> bool:
        return generation.parent == parent and not objection(lineage.head, generation)

    standing = [one for number in near if number in stored for one in _parsed(stored[number])]
    if following := next(filter(follows, standing), None):
        return following
    free = [number for number in near if number not in stored]
    candidates = [*filter(follows, (one for n in free for one in _recorded(stack, n, kept)))]
    if len(candidates) < 2:
        return next(iter(candidates), None)
    lines = {one.text for child in standing for one in islice(ancestors(stack, child), AHEAD)}
    return next((one for one in candidates if one.text in lines), candidates[0])


def _parsed(stored: Stored) -> Iterator[Generation]:
    """The generation that a parameter holds."""
    with suppress(DocumentInvalid):
        generation = document.loads(stored.text)
        if generation.number == stored.number:
            yield generation


def _recorded(stack: Stack, number: int, kept: Sequence[HistoryObject]) -> Iterator[Generation]:
    """What the history has under this number, the oldest object first."""
    for one in islice((one for one in kept if one.number == number), _MOST_READ):
        with suppress(DocumentInvalid):
            yield stack.history.read(one)


def _newest(stack: Stack, kept: Sequence[HistoryObject]) -> Generation | None:
    """The newest of the history that follows its own parent there; without any, that can be read."""
    numbers = sorted({one.number for one in kept if one.number is not None}, reverse=True)
    by_digest = {one.digest: one for one in kept}
    newest = None
    for generation in (one for n in numbers for one in _recorded(stack, n, kept)):
        newest = newest or generation
        with suppress(KeyError, DocumentInvalid):
            parent = stack.history.read(by_digest[generation.parent])
            if not objection(parent, generation):
                return generation
    return newest
