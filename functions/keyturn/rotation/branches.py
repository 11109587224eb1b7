"""What of the history belongs to the keyset, though it is not in SSM (docs/decisions/0021).

* *An ancestor* is named by what counts, by the hash of its text: nobody can forge one.
* *A branch* is what descends from the keyset and was deleted before another writer went on. Its objects say
  so themselves, by names that only this stack may write and by rules that the workflow itself obeys.

Every other object is foreign: nobody reads it, and people hear of it.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

from keyturn.aws.history import HistoryObject
from keyturn.aws.keyset_reader import AHEAD
from keyturn.aws.stack import Stack
from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid
from keyturn.keyset.lineage import Lineage
from keyturn.keyset.model import Generation
from keyturn.keyset.succession import objection

MOST_LISTED = 1000  # one page
_BELOW = 200  # numbers: where the parent of the oldest generation in SSM is to be found
_MOST_READ = 100


def ancestors(stack: Stack, generation: Generation) -> Iterator[Generation]:
    """Its parent, the parent of that, and so on, as far as they are near; raises AwsFault."""
    return _ancestors(stack, _near(stack, generation), generation)


def branches(stack: Stack, lineage: Lineage) -> list[Generation]:
    """The generations of the history that descend from what counts, and do not count; raises AwsFault."""
    kept, root = _near(stack, lineage.chain[0]), lineage.chain[0]
    forebears = [*islice(_ancestors(stack, kept, root), AHEAD)]
    since = forebears[-1].number if forebears else root.number
    known = {document.digest(one.text): one for one in (*forebears, *lineage.chain)}
    others = [one for one in kept if one.digest not in known and (one.number or 0) >= since]
    found = list[Generation]()
    for one in others[:_MOST_READ]:
        with suppress(DocumentInvalid):
            generation = stack.history.read(one)
            parent = known.get(generation.parent)
            if parent and not objection(parent, generation):
                known[one.digest] = generation
                found.append(generation)
    return found


def foreign_objects(stack: Stack) -> list[str]:
    """The objects that are not of this keyset, from the oldest generation in SSM on; raises AwsFault."""
    lineage = stack.keysets.lineage()
    ours = {document.digest(one.text) for one in lineage.chain}
    objects = stack.history.objects(lineage.chain[0].number, MOST_LISTED)
    others = [one for one in objects if one.digest not in ours]
    if others:
        ours |= {document.digest(one.text) for one in branches(stack, lineage)}
    return [one.name for one in others if one.digest not in ours]


def newest_number(stack: Stack) -> int:
    """The highest number of a generation that the history holds, 0 without any; raises AwsFault."""
    for one in reversed(stack.history.generations()):
        with suppress(DocumentInvalid):
            return stack.history.read(one).number
    return 0


def _near(stack: Stack, generation: Generation) -> list[HistoryObject]:
    return stack.history.generations(generation.number - _BELOW, MOST_LISTED)


def _ancestors(
    stack: Stack, kept: Sequence[HistoryObject], generation: Generation
) -> Iterator[Generation]:
    by_digest = {one.digest: one for one in kept}
    while parent := by_digest.get(generation.parent):
        try:
            generation = stack.history.read(parent)
        except DocumentInvalid:
            return
        yield generation
