"""What callers of the issuer may ask for, and what they may not; refused by the field's name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from keyturn.api.answers import BadRequest

_MAX_TEXT = 256  # characters
_MAX_DEPTH = 200  # levels of claims within claims


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """What is asked for. `lifetime` in seconds, at most the active key's; `claims` are extra.

    `client_id` is told by direct invoke only, where nobody else says who the client is.
    """

    subject: str
    audience: str | None = None
    scope: str = ""
    lifetime: int | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    client_id: str = ""

    @classmethod
    def over_http(cls, told: Mapping[str, Any]) -> Self:
        """From the members of a body; raises BadRequest."""
        return cls._of(told, {"subject"}, _HTTP)

    @classmethod
    def direct(cls, told: Any) -> Self:
        """From the event of a direct invoke, whatever it is; raises BadRequest."""
        if not isinstance(told, Mapping):
            raise BadRequest("event", "is not an object")
        return cls._of(told, {"subject", "client_id"}, _DIRECT)

    @classmethod
    def _of(cls, told: Mapping[str, Any], required: set[str], readers: "_Readers") -> Self:
        for name in sorted(required - told.keys()):
            raise BadRequest(name, "is required")
        for name in sorted(told.keys() - readers.keys(), key=ascii):
            raise BadRequest(ascii(name).strip("'"), "is not a field of a request")
        return cls(**{name: readers[name](name, value) for name, value in told.items()})


def _any_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadRequest(name, "should be a text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise BadRequest(name, "has no UTF-8") from None
    return value


def _text(name: str, value: Any) -> str:
    if not 1 <= len(_any_text(name, value)) <= _MAX_TEXT:
        raise BadRequest(name, f"should have 1 to {_MAX_TEXT} characters")
    return str(value)


def _maybe_text(name: str, value: Any) -> str | None:
    return None if value is None else _any_text(name, value)


def _maybe_seconds(name: str, value: Any) -> int | None:
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise BadRequest(name, "should be a whole number of seconds above 0")
    return value


def _claims(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest(name, "should be an object")
    if not _is_shallow(value, _MAX_DEPTH):
        raise BadRequest(name, f"are nested more than {_MAX_DEPTH} levels deep")
    return value


def _is_shallow(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_shallow(each, levels - 1) for each in inner)


_Readers = Mapping[str, Callable[[str, Any], Any]]
_HTTP: _Readers = {
    "subject": _text,
    "audience": _maybe_text,
    "scope": _any_text,
    "lifetime": _maybe_seconds,
    "claims": _claims,
}
_DIRECT: _Readers = {**_HTTP, "client_id": _text}
