"""Reading the members of documents that teams write; each error names the member."""

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

Readers = Mapping[str, Callable[[Any], Any]]
_MAX_TEXT = 256  # characters
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")  # Unicode's categories
# RFC 6749 section 3.3: printable ASCII without space, quotation mark and backslash.
_SCOPE_CHARACTERS = frozenset(map(chr, range(0x21, 0x7F))) - {'"', "\\"}


class InvalidDocument(ValueError):
    """An invalid document; the message begins with the member's name."""


def read_members(document: Any, readers: Readers, required: frozenset[str]) -> dict[str, Any]:
    """The members of a parsed JSON object, each parsed by its reader; raises InvalidDocument."""
    if not isinstance(document, Mapping):
        raise InvalidDocument("the document should be a JSON object")
    for name in sorted(document.keys() - readers.keys(), key=ascii):
        raise InvalidDocument(f"{name!a} is not a member of this kind of document")
    for name in sorted(required - document.keys()):
        raise InvalidDocument(f"{name} is required")
    members = {}
    for name, value in document.items():
        try:
            members[name] = readers[name](value)
        except ValueError as error:
            raise InvalidDocument(f"{name}: {error}") from None
    return members


def text(value: Any) -> str:
    """1 to 256 characters, without control characters, line breaks and lone surrogates."""
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_TEXT:
        raise ValueError(f"should be a string of 1 to {_MAX_TEXT} characters")
    if any(unicodedata.category(character) in _UNPRINTABLE for character in value):
        raise ValueError("must not contain control characters")
    return value


def texts(value: Any) -> frozenset[str]:
    """A list of such texts without duplicates."""
    if not isinstance(value, list):
        raise ValueError("should be a list")
    members = frozenset(map(text, value))
    if len(members) != len(value):
        raise ValueError("contains a duplicate")
    return members


def scope_token(value: Any) -> str:
    """One scope (RFC 6749 section 3.3)."""
    if not text(value) or not _SCOPE_CHARACTERS.issuperset(value):
        raise ValueError("a scope is printable ASCII without spaces, quotes and backslashes")
    return str(value)


def scopes(value: Any) -> frozenset[str]:
    """A list of scopes without duplicates."""
    return frozenset(map(scope_token, texts(value)))


def seconds(value: Any) -> int:
    """A whole number above 0."""
    if type(value) is not int or value < 1:
        raise ValueError("should be a whole number of seconds above 0")
    return value
