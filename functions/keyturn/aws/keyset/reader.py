"""Reading the keyset from SSM: the part of the store that issuer and authorizer need."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from keyturn.aws.faults import translate_errors
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.lineage import Lineage, StoredParameter, trace
from keyturn.keyset.model import Generation
from keyturn.keyset.succession import find_violation

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

LOOK_AHEAD = 10  # the number of names that GetParameters takes
REPAIR_HINT = "`keyturn repair` says what to do"
_LISTINGS = 5


class KeysetMissing(KeysetFault):
    """No generation counts: nothing can be concluded from that, and nothing is created."""


class GenerationLost(KeysetFault):
    """The generation that a reader holds is gone, and the stored one cannot have followed it."""


class KeysetReader:
    """Reads generations below `/keyturn/<stack>/keyset/`."""

    def __init__(self, stack: str, reads: "SSMClient") -> None:
        self._path = f"/keyturn/{stack}/keyset"
        self._reads = reads

    def read(self) -> Generation:
        """The generation that counts; raises KeysetMissing, NewerSchema, AwsFault."""
        return self.read_lineage().head

    def read_newer(self, previous: Generation) -> Generation:
        """The newest generation that follows `previous`; one call if nothing has changed.

        If `previous` is gone (pruned, or deleted), or a parameter above it does not follow it,
        returns the generation that counts now if that can have followed `previous`, and raises
        GenerationLost if it cannot. Raises NewerSchema, AwsFault.
        """
        lineage = self._extend(previous)
        if lineage and lineage.next_number == lineage.head.number + 1:
            return lineage.head
        latest = self.read()
        violation = find_violation(previous, latest)
        if latest.number < previous.number or violation:
            raise GenerationLost(
                f"{self._name(previous.number)} is gone: {violation or 'SSM went back'}"
            )
        return latest

    def read_lineage(self) -> Lineage:
        """Every generation that counts; raises KeysetMissing, NewerSchema, AwsFault."""
        return self.read_all()[1]

    def read_all(self) -> tuple[list[StoredParameter], Lineage]:
        """All stored parameters, and those of them that count; raises like `read_lineage`.

        Pages are read one after the other, so pruning in between leaves a gap; and a text may
        arrive garbled. If there is a parameter above the head, two listings in a row must agree.
        """
        before: Lineage | None = None
        for _ in range(_LISTINGS):
            parameters = self.list_parameters()
            lineage = trace(parameters)
            if lineage is None:
                raise KeysetMissing(f"no keyset below {self._path}: {REPAIR_HINT}")
            if lineage == before or _is_topmost(lineage, parameters):
                return parameters, lineage
            before = lineage
        raise GenerationLost(f"{self._path} changed faster than it could be listed")

    def read_generations(self) -> tuple[Generation, ...]:
        """Every generation that counts, the oldest first; raises like `read_lineage`."""
        return self.read_lineage().chain

    def list_parameters(self) -> list[StoredParameter]:
        """All parameters below the path; raises AwsFault."""
        with translate_errors("ssm:GetParametersByPath"):
            pages = self._reads.get_paginator("get_parameters_by_path").paginate(Path=self._path)
            return [
                _parse_parameter(parameter) for page in pages for parameter in page["Parameters"]
            ]

    def read_texts(self) -> dict[int, str]:
        """The texts of parameters with a generation's name, by number; raises AwsFault."""
        return {
            parameter.number: parameter.text
            for parameter in self.list_parameters()
            if parameter.number is not None
        }

    def _extend(self, previous: Generation) -> Lineage | None:
        """The lineage from `previous` on, usually in one call; None if `previous` is gone."""
        parameters = self._read_parameters(range(previous.number, previous.number + LOOK_AHEAD))
        own = parameters.get(previous.number)
        if own is None or own.text != previous.text or own.version != 1:
            return None
        end = previous.number + LOOK_AHEAD
        lineage = Lineage.from_generation(previous).extend(parameters)
        while lineage.next_number == end:  # every name so far is taken
            end += LOOK_AHEAD
            lineage = lineage.extend(self._read_parameters(range(lineage.next_number, end)))
        return lineage

    def _read_parameters(self, numbers: Iterable[int]) -> Mapping[int, StoredParameter]:
        with translate_errors("ssm:GetParameters"):
            answer = self._reads.get_parameters(Names=[self._name(number) for number in numbers])
        stored = map(_parse_parameter, answer["Parameters"])
        return {parameter.number: parameter for parameter in stored if parameter.number is not None}

    def _name(self, number: int) -> str:
        return f"{self._path}/{number:012d}"


def _is_topmost(lineage: Lineage, parameters: list[StoredParameter]) -> bool:
    return all(
        parameter.number is None or parameter.number <= lineage.head.number
        for parameter in parameters
    )


def _parse_parameter(parameter: Any) -> StoredParameter:
    return StoredParameter(
        parameter["Name"].rpartition("/")[2],
        parameter["Value"],
        parameter["Version"],
        parameter["LastModifiedDate"],
    )
