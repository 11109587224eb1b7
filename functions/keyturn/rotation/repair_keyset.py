"""RepairKeyset: a keyset counts again whose newest generation is gone.

The operator's command runs this; it is no step of the workflow (docs/decisions/0014). Reconcile does the
part of it that needs nobody's judgement: it joins branches.

* *Lost*: the JWKS or the history shows a later generation than counts in SSM. It was deleted or
  overwritten.
* *Newer release*: what counts has a schema that this release does not know. Nothing is touched.

What is lost comes back from the history as it was where its name is free and what it follows counts.
Otherwise the newest keyset is appended above every number that anybody can have seen, with whatever ended
elsewhere revoked in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.aws.well_known import JWKS
from keyturn.keyset.cutoffs import CutOff, merge
from keyturn.keyset.errors import DocumentTooLarge, KeysetFault, NewerSchema
from keyturn.keyset.model import Generation, Keyset, Origin
from keyturn.keyset.succession import find_violation
from keyturn.keyset.transitions import revoke
from keyturn.rotation.branches import branches
from keyturn.rotation.put_back import Missing, missing_generations, put_back

_JOINED = "join_branches"  # the reason of the generation that joins them
_REACH = 200  # numbers that a repair passes over, each with a parameter
_SECOND_LOOK = 2.0  # seconds: SSM promises no consistent reads


class Condition(StrEnum):
    """What is wrong with the stored keyset; also the reason that the repair leaves in it."""

    SOUND = "sound"
    LOST = "lost"
    NEWER_RELEASE = "newer_release"


class NothingToRestore(KeysetFault):
    """Neither SSM nor the history holds a generation that can be read."""


class JwksNotOurs(KeysetFault):
    """The JWKS claims a number that cannot be followed, or shows none of the keys."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was read, and what a repair would do about it."""

    condition: Condition
    problem: str = ""  # with a newer release's document
    missing: tuple[Missing, ...] = ()  # come back as they were
    source: Generation | None = None  # the newest keyset that can be read
    number: int | None = None  # of the generation to append; None if the source will count
    revocations: tuple[str, ...] = ()  # live in the source, ended elsewhere


def diagnose(stack: Stack) -> Diagnosis:
    """Tell the cases apart; raises NothingToRestore, JwksNotOurs, AwsFault."""
    diagnosis = _diagnose(stack)
    if diagnosis.condition is not Condition.LOST:
        return diagnosis
    stack.clock.sleep(_SECOND_LOOK)
    return _diagnose(stack)


def repair(stack: Stack, diagnosis: Diagnosis, origin: Origin) -> Generation | None:
    """Have the newest keyset count again; raises Conflict if the keyset changed meanwhile.

    Returns what was appended.
    """
    put_back(stack, diagnosis.missing)
    if not (diagnosis.source and diagnosis.number):
        return None
    keyset = _without_ended(stack, diagnosis.source.keyset, diagnosis.revocations)
    origin = replace(origin, reason=diagnosis.condition.value)
    return stack.keysets.restore(diagnosis.number, keyset, origin)


def join_branches(stack: Stack, origin: Origin) -> Generation | None:
    """Where a writer was faster than the repair of a deletion, what ended on the lost branch ends again.

    The keyset goes on above the highest number of the branch, which readers and the JWKS may hold. Only a
    branch that lawfully left what counts is believed, and no JWKS is: anybody may have written either.
    Returns what was appended, if there was a branch. Raises Conflict, KeysetFault, AwsFault.
    """
    parameters, lineage = stack.keysets.listed()
    lost = [one for one in branches(stack, lineage) if one.number < lineage.next_number + _REACH]
    if not lost:
        return None
    tip, head = max(lost, key=lambda one: one.number), lineage.head
    ended = {key.kid for one in lost for key in one.keyset.ended}
    kids = tuple(key.kid for key in head.keyset.keys if key.kid in ended)
    is_joined = any(one.reason == _JOINED and one.number > tip.number for one in lineage.chain)
    cutoffs = head.keyset.cutoffs if is_joined else _with_cutoffs(stack, head.keyset, tip.keyset)
    if head.number >= tip.number and not kids and cutoffs == head.keyset.cutoffs:
        return None
    taken, number = {one.number for one in parameters}, max(tip.number + 1, lineage.next_number)
    while number in taken:
        number += 1
    keyset, origin = _without_ended(stack, head.keyset, kids), replace(origin, reason=_JOINED)
    try:
        return stack.keysets.restore(number, replace(keyset, cutoffs=cutoffs), origin)
    except DocumentTooLarge:  # a revocation waits for no cut-off
        logger.warning("cutoffs_not_joined", generation=tip.number)
        return stack.keysets.restore(number, keyset, origin)


def _with_cutoffs(stack: Stack, keyset: Keyset, other: Keyset) -> tuple[CutOff, ...]:
    """The cut-offs of a keyset, each as strict as the other's as well, and those that only that one has."""
    now = stack.clock.now()
    return merge(keyset.cutoffs, (one for one in other.cutoffs if not one.is_over(now)))


def _diagnose(stack: Stack) -> Diagnosis:
    kept = stack.history.generations()
    try:
        missing, lineage = missing_generations(stack, stack.keysets.parameters(), kept)
    except NewerSchema as error:
        return Diagnosis(Condition.NEWER_RELEASE, str(error))
    if lineage is None:
        raise NothingToRestore("no generation can be read, neither in SSM nor in history/")

    head, projection = lineage.head, stack.well_known.read()
    shown = projection.generation if projection else 0
    elsewhere = [
        one for one in branches(stack, lineage) if one.number < lineage.next_number + _REACH
    ]
    ended = {key.kid for one in elsewhere for key in one.keyset.ended}
    newest = max([head.number, *(one.number for one in elsewhere)])
    if projection and shown > newest:  # a JWKS shows exactly the live keys
        ended |= {key.kid for key in head.keyset.keys} - projection.keys.keys()
    live = [key.kid for key in head.keyset.keys]
    if shown > newest and (shown > newest + _REACH or (live and ended.issuperset(live))):
        raise JwksNotOurs(f"{JWKS} claims to be of generation {shown} and is not ours")

    source = _source(head, elsewhere)
    revocations = tuple(key.kid for key in source.keyset.keys if key.kid in ended)
    is_newest = head.number >= max(shown, newest) and not revocations
    return Diagnosis(
        Condition.SOUND if is_newest and not missing else Condition.LOST,
        missing=missing,
        source=source,
        number=None if is_newest else max(shown, newest, lineage.next_number - 1) + 1,
        revocations=revocations,
    )


def _source(head: Generation, branches: Iterable[Generation]) -> Generation:
    """The newest generation that what counts can become."""
    later = (one for one in branches if one.number > head.number and not find_violation(head, one))
    return max(later, key=lambda one: one.number, default=head)


def _without_ended(stack: Stack, keyset: Keyset, kids: Iterable[str]) -> Keyset:
    return revoke(keyset, kids, stack.clock.now(), times=stack.times, limits=stack.limits)
