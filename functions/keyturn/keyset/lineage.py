"""Which of the stored parameters count: the oldest one, and its lawful successors in order.

A principal with a single permission can create or delete a parameter. It cannot backdate one,
restore one with its original date, or create one under a name that exists (docs/decisions/0020).
Hence:

* *A name* is valid if it is exactly twelve digits, the document has the same number, and the
  parameter was never overwritten (SSM counts its versions).
* *The root* is the oldest valid parameter by SSM's own date. It is the first generation, or the
  oldest that pruning has left; anything forged later is younger.
* *The successor* of a generation is the first text above it that names it as its parent and may
  lawfully follow it (succession.py). Other texts in between are stepped over; the first free name
  ends the lineage. So what a name holds is decided once, for every reader at any time.

Everything else is unlawful, and ignored.
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
    """A parameter below the keyset's path; `name` is the last segment of its name.

    `version` is 1 unless it was overwritten; `modified` is SSM's date of that version.
    """

    name: str
    text: str
    version: int
    modified: datetime

    @property
    def number(self) -> int | None:
        """The generation's number by the name; None if the name is not twelve digits."""
        return int(self.name) if _NAME.fullmatch(self.name) else None


@dataclass(frozen=True, slots=True)
class Lineage:
    """The generations that count, the newest last, and the number that the next one takes.

    `rejections` says, by number, why the texts that were stepped over do not count.
    """

    chain: tuple[Generation, ...]
    next_number: int
    rejections: Mapping[int, str]

    @classmethod
    def from_generation(cls, generation: Generation) -> Self:
        """The lineage of a single generation."""
        return cls((generation,), generation.number + 1, {})

    @property
    def head(self) -> Generation:
        """The newest generation that counts: the truth."""
        return self.chain[-1]

    def extend(self, parameters: Mapping[int, StoredParameter]) -> "Lineage":
        """This lineage with its successors among `parameters` (by number), from `next_number` on.

        Raises NewerSchema if a newer release wrote a successor.
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

    Raises NewerSchema if a newer release wrote the root or a successor.
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
    """Whether this would be the root if it were the oldest.

    True for a newer release's document, which as the root would make every read raise NewerSchema.
    """
    try:
        _read(stored)
    except NewerSchema:
        return True
    except DocumentInvalid:
        return False
    return True


def _successor(parent: Generation, stored: StoredParameter) -> tuple[Generation | None, str]:
    """The generation if it lawfully follows `parent`; otherwise None and the reason."""
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
    """The generation in this parameter; raises DocumentInvalid, which names the parameter."""
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
        raise DocumentInvalid(f"{stored.name}: has a time later than SSM's own date")
    return generation
