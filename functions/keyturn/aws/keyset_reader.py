"""Reading the keyset from SSM: all that issuer and authorizer need of the store."""

import re
from typing import TYPE_CHECKING

from keyturn.aws.faults import translated
from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid, KeysetFault, NewerSchema
from keyturn.keyset.model import Generation

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

AHEAD = 10  # names that one GetParameters takes
_NUMBER = re.compile(r"[0-9]{12}")
REPAIR_HINT = "`keyturn repair` says what to do"


class KeysetMissing(KeysetFault):
    """There is no generation at all: nothing may be concluded, and nothing is created."""


class KeysetReader:
    """Reads generations below `/keyturn/<stack>/keyset/`."""

    def __init__(self, stack: str, reads: "SSMClient") -> None:
        self._path = f"/keyturn/{stack}/keyset"
        self._reads = reads

    def read(self) -> Generation:
        """The highest generation; raises KeysetMissing, DocumentInvalid, AwsFault."""
        stored = self.stored()
        if not stored:
            raise KeysetMissing(f"no keyset below {self._path}: {REPAIR_HINT}")
        number = max(stored)
        return self.parsed(number, stored[number])

    def newer(self, held: Generation) -> Generation:
        """The highest generation that can be seen from `held`: one call if nothing changed.

        It is lower than `held` only when SSM answered from the past.
        """
        latest = held
        while True:
            numbers = range(latest.number, latest.number + AHEAD)
            found = self._texts(numbers)
            if latest.number not in found:  # pruned: we were asleep for long
                return self.read()
            top = max(found)
            if top > latest.number:
                latest = self.parsed(top, found[top])
            if top < numbers[-1]:
                return latest

    def stored(self) -> dict[int, str]:
        """Every stored generation's text by its number; other names are not generations."""
        with translated("ssm:GetParametersByPath"):
            pages = self._reads.get_paginator("get_parameters_by_path").paginate(Path=self._path)
            texts = {
                parameter["Name"].rsplit("/", 1)[1]: parameter["Value"]
                for page in pages
                for parameter in page["Parameters"]
            }
        return {int(name): text for name, text in texts.items() if _NUMBER.fullmatch(name)}

    def generations(self) -> list[Generation]:
        """Every stored generation, the lowest first; raises DocumentInvalid, AwsFault."""
        return [self.parsed(number, text) for number, text in sorted(self.stored().items())]

    def _texts(self, numbers: range) -> dict[int, str]:
        with translated("ssm:GetParameters"):
            answer = self._reads.get_parameters(Names=[self._name(number) for number in numbers])
        return {int(p["Name"].rsplit("/", 1)[1]): p["Value"] for p in answer["Parameters"]}

    def parsed(self, number: int, text: str) -> Generation:
        """A stored text as its generation; raises DocumentInvalid with the parameter's name."""
        try:
            generation = document.loads(text)
        except NewerSchema as error:
            raise NewerSchema(f"{self._name(number)}: {error}") from None
        except DocumentInvalid as error:
            raise self._invalid(number, str(error)) from None
        if generation.number != number:
            raise self._invalid(number, f"holds generation {generation.number}")
        return generation

    def _invalid(self, number: int, problem: str) -> DocumentInvalid:
        return DocumentInvalid(f"{self._name(number)}: {problem}: {REPAIR_HINT}")

    def _name(self, number: int) -> str:
        return f"{self._path}/{number:012d}"
