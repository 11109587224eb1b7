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
from itertools import islice

from keyturn.aws.keyset_reader import LOOK_AHEAD
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.aws.well_known import JWKS
from keyturn.keyset import document
from keyturn.keyset.cutoffs import CutOff, merge
from keyturn.keyset.errors import DocumentTooLarge, KeysetFault, NewerSchema
from keyturn.keyset.lineage import Lineage
from keyturn.keyset.model import Generation, Keyset, Origin
from keyturn.keyset.succession import find_violation
from keyturn.keyset.transitions import revoke
from keyturn.rotation.branches import find_branches, read_ancestors
from keyturn.rotation.put_back import Missing, is_incomplete, missing_generations, put_back
from keyturn.rotation.repairs import Repair

_JOIN_REASON = Repair.JOIN_BRANCHES.value  # of the generation that joins them, before their marks
_MAX_SKIPPED = 200  # numbers that a repair passes over, each with a parameter
_RECHECK_PAUSE = 2.0  # seconds: SSM promises no consistent reads


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
    stack.clock.sleep(_RECHECK_PAUSE)
    return _diagnose(stack)


def repair(stack: Stack, diagnosis: Diagnosis, origin: Origin) -> Generation | None:
    """Have the newest keyset count again; raises Conflict if the keyset changed meanwhile.

    Returns what was appended.
    """
    put_back(stack, diagnosis.missing)
    if not (diagnosis.source and diagnosis.number):
        return None
    keyset = _revoke_ended(stack, diagnosis.source.keyset, diagnosis.revocations)
    origin = replace(origin, reason=diagnosis.condition.value)
    return stack.keysets.restore(diagnosis.number, keyset, origin)


def join_branches(stack: Stack, origin: Origin) -> Generation | None:
    """Where a writer was faster than the repair of a deletion, what ended on the lost branch ends again.

    The keyset goes on above the highest number of the branch, which readers and the JWKS may hold. Only a
    branch that lawfully left what counts is believed, and no JWKS is: anybody may have written either.
    Returns what was appended, if there was a branch. Raises Conflict, KeysetFault, AwsFault.
    """
    parameters, lineage = stack.keysets.read_all()
    lost = _near_branches(stack, lineage)
    if not lost or is_incomplete(stack):  # what can come back as it was is no lost branch
        return None
    head, newest = lineage.head, max(generation.number for generation in lost)
    ended = {key.kid for generation in lost for key in generation.keyset.ended}
    kids = tuple(key.kid for key in head.keyset.keys if key.kid in ended)
    tips = _tips_to_join(stack, lost, lineage)
    cutoffs = _merge_cutoffs(stack, head.keyset, tips)
    if head.number >= newest and not kids and cutoffs == head.keyset.cutoffs:
        return None
    taken_numbers = {parameter.number for parameter in parameters}
    number = max(newest + 1, lineage.next_number)
    while number in taken_numbers:
        number += 1
    keyset = _revoke_ended(stack, head.keyset, kids)
    origin = replace(origin, reason=" ".join([_JOIN_REASON, *map(_mark, tips)]))
    try:
        return stack.keysets.restore(number, replace(keyset, cutoffs=cutoffs), origin)
    except DocumentTooLarge:  # a revocation waits for no cut-off
        logger.warning("cutoffs_not_joined", generation=newest)
        return stack.keysets.restore(number, keyset, origin)


def _tips_to_join(stack: Stack, lost: list[Generation], lineage: Lineage) -> list[Generation]:
    """The ends of the branches, but for those whose mark a generation of the lineage bears.

    What was released since they were joined would be blocked again.
    """
    ancestors = islice(read_ancestors(stack, lineage.chain[0]), LOOK_AHEAD)
    reasons = [generation.reason for generation in (*ancestors, *lineage.chain)]
    marks = {mark for reason in reasons for mark in reason.split()}
    parents = {generation.parent for generation in lost}
    tips = (generation for generation in lost if document.digest(generation.text) not in parents)
    return [tip for tip in tips if _mark(tip) not in marks]


def _mark(tip: Generation) -> str:
    return f"{tip.number}-{document.digest(tip.text)[:8]}"


def _merge_cutoffs(stack: Stack, keyset: Keyset, tips: Iterable[Generation]) -> tuple[CutOff, ...]:
    """The cut-offs of a keyset, each as strict as those of the tips, and those that only they have."""
    now = stack.clock.now()
    others = (cutoff for tip in tips for cutoff in tip.keyset.cutoffs)
    return merge(keyset.cutoffs, (cutoff for cutoff in others if not cutoff.is_over(now)))


def _diagnose(stack: Stack) -> Diagnosis:
    history = stack.history.generations()
    try:
        missing, lineage = missing_generations(stack, stack.keysets.list_parameters(), history)
    except NewerSchema as error:
        return Diagnosis(Condition.NEWER_RELEASE, str(error))
    if lineage is None:
        raise NothingToRestore("no generation can be read, neither in SSM nor in history/")

    head, projection = lineage.head, stack.well_known.read()
    published_number = projection.generation if projection else 0
    branches = _near_branches(stack, lineage)
    ended = {key.kid for generation in branches for key in generation.keyset.ended}
    newest = max([head.number, *(generation.number for generation in branches)])
    if projection and published_number > newest:  # a JWKS shows exactly the live keys
        ended |= {key.kid for key in head.keyset.keys} - projection.keys.keys()
    live = [key.kid for key in head.keyset.keys]
    if published_number > newest and (
        published_number > newest + _MAX_SKIPPED or (live and ended.issuperset(live))
    ):
        raise JwksNotOurs(f"{JWKS} claims to be of generation {published_number} and is not ours")

    source = _source(head, branches)
    revocations = tuple(key.kid for key in source.keyset.keys if key.kid in ended)
    is_newest = head.number >= max(published_number, newest) and not revocations
    return Diagnosis(
        Condition.SOUND if is_newest and not missing else Condition.LOST,
        missing=missing,
        source=source,
        number=None if is_newest else max(published_number, newest, lineage.next_number - 1) + 1,
        revocations=revocations,
    )


def _near_branches(stack: Stack, lineage: Lineage) -> list[Generation]:
    """Those that a repair can pass over."""
    limit = lineage.next_number + _MAX_SKIPPED
    return [branch for branch in find_branches(stack, lineage) if branch.number < limit]


def _source(head: Generation, branches: Iterable[Generation]) -> Generation:
    """The newest generation that what counts can become."""
    later = (
        generation
        for generation in branches
        if generation.number > head.number and not find_violation(head, generation)
    )
    return max(later, key=lambda generation: generation.number, default=head)


def _revoke_ended(stack: Stack, keyset: Keyset, kids: Iterable[str]) -> Keyset:
    return revoke(keyset, kids, stack.clock.now(), times=stack.times, limits=stack.limits)
