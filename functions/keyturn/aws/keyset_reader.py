"""Reading the keyset from SSM: all that issuer and authorizer need of the store."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from keyturn.aws.faults import translated
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.lineage import Lineage, Stored, trace
from keyturn.keyset.model import Generation
from keyturn.keyset.succession import objection

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

AHEAD = 10  # names that one GetParameters takes
REPAIR_HINT = "`keyturn repair` says what to do"
_LISTINGS = 5


class KeysetMissing(KeysetFault):
    """There is no generation that counts: nothing may be concluded, and nothing is created."""


class GenerationLost(KeysetFault):
    """The generation that a reader holds is gone, and what stands there cannot have become of it."""


class KeysetReader:
    """Reads generations below `/keyturn/<stack>/keyset/`."""

    def __init__(self, stack: str, reads: "SSMClient") -> None:
        self._path = f"/keyturn/{stack}/keyset"
        self._reads = reads

    def read(self) -> Generation:
        """The generation that counts; raises KeysetMissing, NewerSchema, AwsFault."""
        return self.lineage().head

    def newer(self, held: Generation) -> Generation:
        """The newest generation that follows `held`: one call if nothing changed.

        If `held` is gone (pruned while we were asleep, or deleted), or something stands above it that
        does not follow it, it is what counts now, provided that it can have become of `held`; else
        raises GenerationLost. Raises NewerSchema, AwsFault.
        """
        lineage = self._from(held)
        if lineage and lineage.free == lineage.head.number + 1:
            return lineage.head
        latest = self.read()
        why = objection(held, latest)
        if latest.number < held.number or why:
            raise GenerationLost(f"{self._name(held.number)} is gone: {why or 'SSM went back'}")
        return latest

    def lineage(self) -> Lineage:
        """Every generation that counts; raises KeysetMissing, NewerSchema, AwsFault."""
        return self.listed()[1]

    def listed(self) -> tuple[list[Stored], Lineage]:
        """Whatever is stored, and what of it counts; raises as `lineage`.

        The pages are read one after the other, and what is pruned in between leaves a gap; a text may
        be garbled on its way. Where something stands above what counts, only a second listing that says
        the same is believed.
        """
        before: Lineage | None = None
        for _ in range(_LISTINGS):
            parameters = self.parameters()
            lineage = trace(parameters)
            if lineage is None:
                raise KeysetMissing(f"no keyset below {self._path}: {REPAIR_HINT}")
            if lineage == before or _is_topmost(lineage, parameters):
                return parameters, lineage
            before = lineage
        raise GenerationLost(f"{self._path} changed faster than it could be listed")

    def generations(self) -> tuple[Generation, ...]:
        """Every generation that counts, the oldest first; raises as `lineage`."""
        return self.lineage().chain

    def parameters(self) -> list[Stored]:
        """Whatever is stored below the path."""
        with translated("ssm:GetParametersByPath"):
            pages = self._reads.get_paginator("get_parameters_by_path").paginate(Path=self._path)
            return [_stored(parameter) for page in pages for parameter in page["Parameters"]]

    def stored(self) -> dict[int, str]:
        """The texts under the names of generations, by number."""
        return {one.number: one.text for one in self.parameters() if one.number is not None}

    def _from(self, held: Generation) -> Lineage | None:
        """The lineage from `held` on, in one call unless many names follow; None if it is gone."""
        parameters = self._named(range(held.number, held.number + AHEAD))
        own = parameters.get(held.number)
        if own is None or own.text != held.text or own.version != 1:
            return None
        lineage, end = Lineage.of_one(held).extended(parameters), held.number + AHEAD
        while lineage.free == end:  # every name so far is taken
            end += AHEAD
            lineage = lineage.extended(self._named(range(lineage.free, end)))
        return lineage

    def _named(self, numbers: Iterable[int]) -> Mapping[int, Stored]:
        with translated("ssm:GetParameters"):
            answer = self._reads.get_parameters(Names=[self._name(number) for number in numbers])
        stored = map(_stored, answer["Parameters"])
        return {one.number: one for one in stored if one.number is not None}

    def _name(self, number: int) -> str:
        return f"{self._path}/{number:012d}"


def _is_topmost(lineage: Lineage, parameters: list[Stored]) -> bool:
    return all(one.number is None or one.number <= lineage.head.number for one in parameters)


def _stored(parameter: Any) -> Stored:
    return Stored(
        parameter["Name"].rpartition("/")[2],
        parameter["Value"],
        parameter["Version"],
        parameter["LastModifiedDate"],
    )
