"""RepairKeyset: restore a keyset whose newest generation is gone.

The operator's command runs this; it is not a step of the workflow (docs/decisions/0014). Reconcile
does the part that needs no judgement: it joins branches.

* *Lost*: the JWKS or the history shows a later generation than SSM does. It was deleted or
  overwritten.
* *Newer release*: the keyset has a schema that this release does not know. Nothing is changed.

A lost generation is restored unchanged from the history if its name is free and its parent counts.
Otherwise the newest keyset is appended above every number that any reader can have seen, and every
key that had ended elsewhere is revoked in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from keyturn.aws.keyset.reader import LOOK_AHEAD
from keyturn.aws.keyset.well_known import JWKS
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.keyset import document
from keyturn.keyset.cutoffs import CutOff, merge
from keyturn.keyset.errors import DocumentTooLarge, KeysetFault, NewerSchema
from keyturn.keyset.lineage import Lineage
from keyturn.keyset.model import Generation, Keyset, Origin
from keyturn.keyset.succession import find_violation
from keyturn.keyset.transitions import revoke
from keyturn.rotation.branches import find_branches, read_ancestors
from keyturn.rotation.put_back import (
    MissingGeneration,
    is_incomplete,
    missing_generations,
    put_back,
)
from keyturn.rotation.repairs import Repair

_JOIN_REASON = Repair.JOIN_BRANCHES.value  # in the joining generation; the branches' marks follow
_MAX_SKIPPED = 200  # numbers; a repair fills each one that it skips with a parameter
_RECHECK_PAUSE = 2.0  # seconds: SSM promises no consistent reads


class Condition(StrEnum):
    """What is wrong with the stored keyset; also the `reason` of the generation that repairs it."""

    SOUND = "sound"
    LOST = "lost"
    NEWER_RELEASE = "newer_release"


class NothingToRestore(KeysetFault):
    """Neither SSM nor the history holds a readable generation."""


class JwksNotOurs(KeysetFault):
    """The JWKS claims a number that is out of reach, or contains none of the live keys."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found, and what a repair would do about it."""

    condition: Condition
    problem: str = ""  # set if a newer release wrote the document
    missing: tuple[MissingGeneration, ...] = ()  # to restore unchanged
    source: Generation | None = None  # the newest keyset that can be read
    number: int | None = None  # of the generation to append; None if the source will count
    revocations: tuple[str, ...] = ()  # kids that are live in the source but ended elsewhere


def diagnose(stack: Stack) -> Diagnosis:
    """Find out what is wrong; raises NothingToRestore, JwksNotOurs, AwsFault."""
    diagnosis = _diagnose(stack)
    if diagnosis.condition is not Condition.LOST:
        return diagnosis
    stack.clock.sleep(_RECHECK_PAUSE)
    return _diagnose(stack)


def repair(stack: Stack, diagnosis: Diagnosis, origin: Origin) -> Generation | None:
    """Make the newest keyset count again; returns the generation that was appended, if any.

    Raises Conflict if the keyset has changed since the diagnosis.
    """
    put_back(stack, diagnosis.missing)
    if not (diagnosis.source and diagnosis.number):
        return None
    keyset = _revoke_ended(stack, diagnosis.source.keyset, diagnosis.revocations)
    origin = replace(origin, reason=diagnosis.condition.value)
    return stack.keysets.restore(diagnosis.number, keyset, origin)


def join_branches(stack: Stack, origin: Origin) -> Generation | None:
    """End again what ended on a lost branch, if a writer was faster than the repair of a deletion.

    The keyset continues above the branch's highest number, which readers and the JWKS may have
    seen. A branch is trusted only if it lawfully descends from the lineage; a JWKS is not trusted
    at all, since either may be forged. Returns the generation that was appended, if there was a
    branch to join. Raises Conflict, KeysetFault, AwsFault.
    """
    parameters, lineage = stack.keysets.read_all()
    lost = _near_branches(stack, lineage)
    if not lost or is_incomplete(stack, parameters):  # what can be restored unchanged is not lost
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
    except DocumentTooLarge:  # revocations take precedence over cut-offs
        logger.warning("cutoffs_not_joined", generation=newest)
        return stack.keysets.restore(number, keyset, origin)


def _tips_to_join(stack: Stack, lost: list[Generation], lineage: Lineage) -> list[Generation]:
    """The tips of the branches, except those that a generation of the lineage has joined already.

    Joining them again would block again what has been released since.
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
    """The cut-offs of the keyset and of the tips; where several match, one as strict as all."""
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
    if projection and published_number > newest:  # a JWKS contains exactly the live keys
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
    """The branches whose numbers are close enough for a repair to skip them."""
    limit = lineage.next_number + _MAX_SKIPPED
    return [branch for branch in find_branches(stack, lineage) if branch.number < limit]


def _source(head: Generation, branches: Iterable[Generation]) -> Generation:
    """The newest generation that the head may lawfully become."""
    later = (
        generation
        for generation in branches
        if generation.number > head.number and not find_violation(head, generation)
    )
    return max(later, key=lambda generation: generation.number, default=head)


def _revoke_ended(stack: Stack, keyset: Keyset, kids: Iterable[str]) -> Keyset:
    return revoke(keyset, kids, stack.clock.now(), times=stack.times, limits=stack.limits)
