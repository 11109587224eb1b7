"""History objects that belong to the keyset although they are not in SSM (docs/decisions/0021).

* *An ancestor* is named, by the hash of its text, by a generation that counts. It cannot be forged.
* *A branch* descends from the keyset, but was deleted before another writer continued from its
  parent. What vouches for its objects is their names, which only this stack may write, and that
  they follow the rules that the workflow itself obeys.

Every other object is foreign: it is reported and never read.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

from keyturn.aws.keyset.history import HistoryObject
from keyturn.aws.keyset.reader import LOOK_AHEAD
from keyturn.aws.stack import Stack
from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid
from keyturn.keyset.lineage import Lineage
from keyturn.keyset.model import Generation
from keyturn.keyset.succession import find_violation

MAX_LISTED = 1000  # one page
_PARENT_DISTANCE = 200  # numbers below the oldest generation in SSM, where its parent must be
_MAX_READ = 100


def read_ancestors(stack: Stack, generation: Generation) -> Iterator[Generation]:
    """Its parent, the parent's parent and so on, within `_PARENT_DISTANCE`; raises AwsFault."""
    return _ancestors(stack, _list_near(stack, generation), generation)


def find_branches(stack: Stack, lineage: Lineage) -> list[Generation]:
    """The generations in the history that descend from the lineage but do not count.

    Raises AwsFault.
    """
    history, root = _list_near(stack, lineage.chain[0]), lineage.chain[0]
    ancestors = [*islice(_ancestors(stack, history, root), LOOK_AHEAD)]
    oldest = ancestors[-1].number if ancestors else root.number
    by_digest = {document.digest(parent.text): parent for parent in (*ancestors, *lineage.chain)}
    candidates = [
        entry
        for entry in history
        if entry.digest not in by_digest and (entry.number or 0) >= oldest
    ]
    branches = list[Generation]()
    for entry in candidates[:_MAX_READ]:
        with suppress(DocumentInvalid):
            generation = stack.history.read(entry)
            parent = by_digest.get(generation.parent)
            if parent and not find_violation(parent, generation):
                by_digest[entry.digest] = generation
                branches.append(generation)
    return branches


def list_foreign_objects(stack: Stack) -> list[str]:
    """The objects that do not belong to this keyset, starting at the oldest generation in SSM.

    Raises AwsFault.
    """
    lineage = stack.keysets.read_lineage()
    own_digests = {document.digest(generation.text) for generation in lineage.chain}
    objects = stack.history.objects(lineage.chain[0].number, MAX_LISTED)
    unknown = [entry for entry in objects if entry.digest not in own_digests]
    if unknown:
        own_digests |= {
            document.digest(generation.text) for generation in find_branches(stack, lineage)
        }
    return [entry.name for entry in unknown if entry.digest not in own_digests]


def newest_number(stack: Stack) -> int:
    """The highest generation number in the history, 0 if there is none; raises AwsFault."""
    for entry in reversed(stack.history.generations()):
        with suppress(DocumentInvalid):
            return stack.history.read(entry).number
    return 0


def _list_near(stack: Stack, generation: Generation) -> list[HistoryObject]:
    return stack.history.generations(generation.number - _PARENT_DISTANCE, MAX_LISTED)


def _ancestors(
    stack: Stack, history: Sequence[HistoryObject], generation: Generation
) -> Iterator[Generation]:
    by_digest = {entry.digest: entry for entry in history}
    while parent := by_digest.get(generation.parent):
        try:
            generation = stack.history.read(parent)
        except DocumentInvalid:
            return
        yield generation
