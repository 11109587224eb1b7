"""A client: IAM decides who may request tokens as this client, its document what it may have."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from keyturn.access import claim_names, members
from keyturn.access.members import InvalidDocument

# A segment of a URL, an IAM resource and an SSM parameter name, without characters to escape.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def is_client_name(name: str) -> bool:
    """Whether this is a valid client name: 1 to 64 letters, digits, - and _."""
    return bool(_NAME.fullmatch(name))


class Subjects(StrEnum):
    """Which subjects a client's tokens may have, unless the document lists them."""

    ANY = "any"
    ITSELF = "itself"


@dataclass(frozen=True, slots=True)
class Client:
    """What a client may have; `max_lifetime` in seconds, None for the key's lifetime."""

    name: str
    audiences: frozenset[str]
    scopes: frozenset[str] = frozenset()
    subjects: Subjects | frozenset[str] = Subjects.ITSELF
    max_lifetime: int | None = None
    claims: frozenset[str] = frozenset()

    @classmethod
    def from_document(cls, name: str, document: Any) -> Self:
        """From the parsed JSON of `/keyturn/<stack>/clients/<name>`; raises InvalidDocument."""
        if not is_client_name(name):
            raise InvalidDocument(f"{name!a} is not a client's name: letters, digits, - and _")
        return cls(name, **members.read_members(document, _READERS, frozenset({"audiences"})))

    def may_use_subject(self, subject: str) -> bool:
        """Whether this client's tokens may have this subject."""
        match self.subjects:
            case Subjects.ANY:
                return True
            case Subjects.ITSELF:
                return subject == self.name
            case subjects:
                return subject in subjects


def _audiences(value: Any) -> frozenset[str]:
    if not (audiences := members.texts(value)):
        raise ValueError("should name an audience")
    return audiences


def _subjects(value: Any) -> Subjects | frozenset[str]:
    if isinstance(value, list):
        return members.texts(value)
    if value not in tuple(Subjects):
        raise ValueError("should be a list, `any` or `itself`")
    return Subjects(value)


def _claims(value: Any) -> frozenset[str]:
    names = members.texts(value)
    for name in sorted(names):
        if problem := claim_names.find_problem(name):
            raise ValueError(f"{name!a} {problem}")
    if len({claim_names.fold(name) for name in names}) != len(names):
        raise ValueError("contains two names that some verifiers read as the same")
    return names


_READERS: members.Readers = {
    "audiences": _audiences,
    "scopes": members.scopes,
    "subjects": _subjects,
    "max_lifetime": members.seconds,
    "claims": _claims,
}
