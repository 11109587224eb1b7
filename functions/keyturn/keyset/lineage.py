"""Which of the stored texts count: the oldest one, and what lawfully follows it, name by name.

Anybody with one permission can create a parameter, and delete one; nobody can create one in the past,
put one back under its date, or take a name that is taken (docs/decisions/0020). Hence:

* *A name* is exactly twelve digits, the number inside is the same, and the parameter was never
  overwritten: SSM counts its versions.
* *The root* is the oldest of these by SSM's own date. It may be the founding generation, or what
  pruning has left; everything that was forged after it is younger.
* *The successor* of a generation is the first text above it that names it as its parent and may follow
  it (succession.py). A text in between that does neither is stepped over; the first name that is not
  taken ends the lineage. So a name decides once and for all, whoever reads it and when.

All else is unlawful: it is ignored.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid, NewerSchema
from keyturn.keyset.model import Generation
from keyturn.keyset.succession import find_violation
from keyturn.keyset.timing import MAX_CLOCK_DIFFERENCE

_NAME = re.compile(r"[0-9]{12}")
HIGHEST = 999_999_999_999


@dataclass(frozen=True, slots=True)
class StoredParameter:
    """A parameter below the keyset's path: `name` is the last part of its name.

    `version` is 1 unless it was overwritten; `modified` is SSM's date of that version.
    """

    name: str
    text: str
    version: int
    modified: datetime

    @property
    def number(self) -> int | None:
        """The generation that the name stands for."""
        return int(self.name) if _NAME.fullmatch(self.name) else None


@dataclass(frozen=True, slots=True)
class Lineage:
    """The generations that count, the newest last, and `free`, the name that the next one takes.

    `ignored` says of the texts that were stepped over why they do not count, by number.
    """

    chain: tuple[Generation, ...]
    next_number: int
    rejections: Mapping[int, str]

    @classmethod
    def from_generation(cls, generation: Generation) -> Self:
        """This generation, as far as nothing else is known."""
        return cls((generation,), generation.number + 1, {})

    @property
    def head(self) -> Generation:
        """The truth."""
        return self.chain[-1]

    def extend(self, parameters: Mapping[int, StoredParameter]) -> "Lineage":
        """The same with what follows among these, by number, from the free name on.

        Raises NewerSchema if a newer release wrote the successor.
        """
        chain, rejections, number = [*self.chain], {**self.rejections}, self.next_number
        while number in parameters:
            generation, rejection = _successor(chain[-1], parameters[number])
            if generation:
                chain.append(generation)
            else:
                rejections[number] = rejection
            number += 1
        return Lineage(tuple(chain), number, rejections)


def trace(parameters: Iterable[StoredParameter]) -> Lineage | None:
    """The lineage among all stored parameters; None if nothing counts.

    Raises NewerSchema if a newer release wrote the root, or what follows.
    """
    candidates = sorted(
        (candidate for candidate in parameters if candidate.number is not None),
        key=lambda candidate: (candidate.modified, candidate.name),
    )
    for candidate in candidates:
        try:
            root = _read(candidate)
        except NewerSchema:
            raise
        except DocumentInvalid:
            continue
        by_number = {
            candidate.number: candidate for candidate in candidates if candidate.number is not None
        }
        return Lineage.from_generation(root).extend(by_number)
    return None


def can_be_root(stored: StoredParameter) -> bool:
    """Whether this would count if it were the oldest; a newer release's document stops everything."""
    try:
        _read(stored)
    except NewerSchema:
        return True
    except DocumentInvalid:
        return False
    return True


def _successor(parent: Generation, stored: StoredParameter) -> tuple[Generation | None, str]:
    """The generation if it lawfully follows `parent`, or why not."""
    digest = document.digest(parent.text)
    try:
        generation = _read(stored)
    except NewerSchema as error:
        if error.parent == digest:
            raise
        return None, str(error)
    except DocumentInvalid as error:
        return None, str(error)
    if generation.parent != digest:
        return None, f"{stored.name}: names another parent"
    if violation := find_violation(parent, generation):
        return None, f"{stored.name}: {violation}"
    return generation, ""


def _read(stored: StoredParameter) -> Generation:
    """The generation that this parameter holds; raises DocumentInvalid, which names it."""
    if stored.version != 1:
        raise DocumentInvalid(f"{stored.name}: was overwritten")
    try:
        generation = document.loads(stored.text)
    except NewerSchema as error:
        raise NewerSchema(f"{stored.name}: {error}", error.parent) from None
    except DocumentInvalid as error:
        raise DocumentInvalid(f"{stored.name}: {error}") from None
    if generation.number != stored.number:
        raise DocumentInvalid(f"{stored.name}: holds generation {generation.number}")
    if generation.at > stored.modified + MAX_CLOCK_DIFFERENCE:
        raise DocumentInvalid(f"{stored.name}: has a later time than SSM's own date")
    return generation
