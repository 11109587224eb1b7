"""RepairKeyset: a keyset counts again whose newest generation cannot be read or is gone.

The operator's command runs this; it is no step of the workflow (docs/decisions/0014).

* *Unreadable*: a stored text does not parse. Its text is kept and the parameter is deleted.
* *Deleted*: the JWKS or the history shows a higher generation than SSM holds.
* *Newer release*: a text has a schema that this release does not know. Nothing is touched.

In the first two cases the newest keyset that can be read is appended above every number that anybody
can have seen, with whatever ended elsewhere revoked in it, before anything is deleted.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from keyturn.aws.faults import Conflict
from keyturn.aws.keyset_reader import AHEAD, REPAIR_HINT
from keyturn.aws.stack import Stack
from keyturn.aws.well_known import JWKS
from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid, KeysetFault, NewerSchema
from keyturn.keyset.model import Generation, Keyset, Origin
from keyturn.keyset.transitions import revoke

_HIGHEST = 999_999_999_999  # twelve digits
_SECOND_LOOK = 2.0  # seconds: SSM promises no consistent reads


class Condition(StrEnum):
    """What is wrong with the stored keyset; also the reason that the repair leaves in it."""

    SOUND = "sound"
    UNREADABLE = "unreadable"
    DELETED = "deleted"
    NEWER_RELEASE = "newer_release"


class NothingToRestore(KeysetFault):
    """Neither SSM nor the history holds a generation that can be read."""


class JwksNotOurs(KeysetFault):
    """The JWKS claims a number that cannot be followed, or shows none of the keys."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was read, and what a repair would do about it."""

    condition: Condition
    stored: Mapping[int, str]
    problems: Mapping[int, str]  # of unreadable generations, by number
    source: Generation | None = None  # the newest keyset that can be read
    number: int | None = None  # of the generation to append; None if the source counts already
    revocations: tuple[str, ...] = ()  # live in the source, ended elsewhere

    @property
    def removals(self) -> list[int]:
        """The generations to delete: the unreadable ones, and what the restored one is far above.

        A reader that holds generation `n` asks for `n` and the nine that follow. Only if `n` is gone
        does it list them all, so what is left below must be within that reach.
        """
        above = self.number or 0
        return sorted(n for n in self.stored if n in self.problems or n + AHEAD <= above)


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair did."""

    generation: Generation | None  # what was appended
    kept: tuple[str, ...]  # the objects that hold the unreadable texts
    removed: tuple[int, ...]


def diagnose(stack: Stack) -> Diagnosis:
    """Tell the cases apart; raises NothingToRestore, JwksNotOurs, AwsFault."""
    diagnosis = _diagnose(stack)
    if diagnosis.condition is not Condition.DELETED:
        return diagnosis
    stack.clock.sleep(_SECOND_LOOK)
    return _diagnose(stack)


def repair(stack: Stack, diagnosis: Diagnosis, origin: Origin) -> Repair:
    """Have the newest readable keyset count again; raises Conflict if the keyset changed meanwhile.

    What a writer acknowledged in the meantime is taken up by `revoke_what_ended_meanwhile`.
    """
    stored, removals = diagnosis.stored, diagnosis.removals
    kept = tuple(
        stack.history.keep_unreadable(number, stored[number]) for number in diagnosis.problems
    )
    for number in removals:
        if number not in diagnosis.problems:
            _keep(stack, number, stored[number])
    generation = None
    if diagnosis.source and diagnosis.number:
        keyset = _without_ended(stack, diagnosis.source.keyset, diagnosis.revocations)
        origin = replace(origin, reason=diagnosis.condition.value)
        generation = stack.keysets.restore(diagnosis.number, keyset, origin)
    stack.keysets.delete(removals)
    return Repair(generation, kept, tuple(removals))


def revoke_what_ended_meanwhile(stack: Stack, origin: Origin) -> Generation:
    """Wait ω for writes that were under way, and end what they ended; returns what counts then.

    Such a write went on from a generation below the restored one and was acknowledged, so what it
    revoked must stay revoked (S5).
    """
    stack.clock.sleep(stack.times.write_delay)
    readable, _ = _parsed(stack, stack.keysets.stored())
    ended = _ended(readable.values())

    def change(keyset: Keyset, _now: object) -> Keyset:
        live = [key.kid for key in keyset.keys if key.kid in ended]
        return _without_ended(stack, keyset, live)

    return stack.keysets.update(change, origin)


def _diagnose(stack: Stack) -> Diagnosis:
    stored = stack.keysets.stored()
    readable, problems = _parsed(stack, stored)
    if any(_is_of_newer_release(stored[number]) for number in problems):
        return Diagnosis(Condition.NEWER_RELEASE, stored, problems)

    kept = stack.history.numbers()
    top = max(readable, default=0)
    source = next(_kept_generations(stack, kept, above=top), readable.get(top))
    if source is None:
        raise NothingToRestore("no generation can be read, neither in SSM nor in history/")

    projection = stack.well_known.read()
    shown = projection.generation if projection else 0
    highest = _highest_visible(max(source.number, shown), problems.keys() | kept)
    ended = _ended(readable.values())
    if projection and shown > source.number:  # a JWKS shows exactly the live keys
        ended |= {key.kid for key in source.keyset.keys} - projection.keys.keys()
    live = [key.kid for key in source.keyset.keys]
    if shown >= _HIGHEST or (shown > source.number and live and ended.issuperset(live)):
        raise JwksNotOurs(f"{JWKS} claims to be of generation {shown} and is not ours")

    is_newest = top == source.number and top >= shown and top >= max(stored)
    condition = Condition.SOUND if is_newest else Condition.DELETED
    return Diagnosis(
        Condition.UNREADABLE if problems else condition,
        stored,
        problems,
        source,
        None if is_newest else highest + 1,
        () if is_newest else tuple(kid for kid in live if kid in ended),
    )


def _parsed(
    stack: Stack, stored: Mapping[int, str]
) -> tuple[dict[int, Generation], dict[int, str]]:
    readable, problems = {}, {}
    for number, text in stored.items():
        try:
            readable[number] = stack.keysets.parsed(number, text)
        except DocumentInvalid as error:
            problems[number] = str(error).removesuffix(f": {REPAIR_HINT}")
    return readable, problems


def _kept_generations(stack: Stack, kept: Iterable[int], *, above: int) -> Iterator[Generation]:
    """Those of the history that can be read, the newest first."""
    for number in sorted((number for number in kept if number > above), reverse=True):
        try:
            if text := stack.history.read(number):
                yield stack.keysets.parsed(number, text)
        except DocumentInvalid:
            continue


def _highest_visible(number: int, others: Iterable[int]) -> int:
    """The highest number that a reader can have held: from `number` on, as far as readers look.

    An unreadable generation may have been a good one once. One that is further away than a reader
    looks was never anybody's successor.
    """
    for other in sorted(others):
        if number < other < number + AHEAD:
            number = other
    return number


def _ended(generations: Iterable[Generation]) -> set[str]:
    return {key.kid for generation in generations for key in generation.keyset.ended}


def _without_ended(stack: Stack, keyset: Keyset, kids: Iterable[str]) -> Keyset:
    return revoke(keyset, kids, stack.clock.now(), times=stack.times, limits=stack.limits)


def _keep(stack: Stack, number: int, text: str) -> None:
    try:
        stack.history.keep(number, text)
    except Conflict:  # a branch that the history does not have
        stack.history.keep_unreadable(number, text)


def _is_of_newer_release(text: str) -> bool:
    try:
        document.loads(text)
    except DocumentInvalid as error:
        return isinstance(error, NewerSchema)
    return False
