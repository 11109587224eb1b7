"""An API that uses the authorizer: its audience, and the scopes that its routes require."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from keyturn.access import members
from keyturn.access.members import InvalidDocument
from keyturn.access.routes import RouteTable

_ID = re.compile(r"[a-z0-9]{1,64}")  # API Gateway's


@dataclass(frozen=True, slots=True)
class Api:
    """What an API accepts; without routes, every token for its audience opens all of it.

    `cached`: API Gateway caches one answer for all its routes (routes.py).
    """

    api_id: str
    audience: str
    routes: RouteTable | None = None
    cached: bool = False

    @classmethod
    def from_document(cls, api_id: str, document: Any) -> Self:
        """From the parsed JSON of `/keyturn/<stack>/apis/<api-id>`; raises InvalidDocument."""
        if not is_api_id(api_id):
            raise InvalidDocument(f"{api_id!a} is not the id of an API")
        fields = members.read_members(document, _READERS, frozenset({"audience"}))
        entries, cached = fields.pop("routes", None), fields.get("cached", False)
        if entries is None:
            return cls(api_id, **fields)
        try:
            table = RouteTable.parse(entries, cached=cached)
        except ValueError as error:
            raise InvalidDocument(f"routes: {error}") from None
        return cls(api_id, **fields, routes=table)

    @property
    def scopes(self) -> frozenset[str]:
        """Every scope that a route requires."""
        return self.routes.scopes if self.routes else frozenset()


def is_api_id(text: str) -> bool:
    """Whether this can be an API's id: lower-case letters and digits, safe in a parameter name."""
    return _ID.fullmatch(text) is not None


def _entries(value: Any) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not all(
        isinstance(scopes, str) for scopes in value.values()
    ):
        raise ValueError(
            "should be an object that maps each `METHOD /path` to its scopes, as a string"
        )
    return value


def _flag(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("should be true or false")
    return value


_READERS: members.Readers = {
    "audience": members.text,
    "routes": _entries,
    "cached": _flag,
}
