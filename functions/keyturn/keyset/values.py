"""Strict readers for a generation document's values; each raises ValueError with the problem."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from keyturn.keyset.cutoffs import DIGEST_LENGTH, Claim, CutOff
from keyturn.keyset.states import State

_MAX_SECONDS = 10**9
KID = _DIGEST = r"^[A-Za-z0-9_-]{43}$"  # SHA-256 in base64url
_CUT_DIGEST = rf"[A-Za-z0-9_-]{{{DIGEST_LENGTH}}}"


def integer(value: Any) -> int:
    """A whole number of at least 1."""
    if type(value) is not int or value < 1:
        raise ValueError("Input should be an integer of at least 1")
    return value


def seconds(value: Any) -> int:
    """A period, in seconds."""
    if integer(value) > _MAX_SECONDS:
        raise ValueError(f"Input should be at most {_MAX_SECONDS}")
    return int(value)


def any_text(value: Any) -> str:
    """A text, possibly empty."""
    if type(value) is not str:
        raise ValueError("Input should be a text")
    return value


def text(value: Any) -> str:
    """A text with at least one character."""
    if not any_text(value):
        raise ValueError("Input should have at least 1 character")
    return str(value)


def kid(value: Any) -> str:
    """An RFC 7638 thumbprint."""
    if not re.fullmatch(KID, any_text(value)):
        raise ValueError("Input should be 43 characters of base64url")
    return str(value)


def parent(value: Any) -> str:
    """The digest of the previous generation, or an empty text."""
    if any_text(value) and not re.fullmatch(_DIGEST, value):
        raise ValueError("Input should be 43 characters of base64url, or empty")
    return str(value)


def state(value: Any) -> State:
    """A state of a key."""
    return State(any_text(value))


def instant(value: Any) -> datetime:
    """An instant in RFC 3339, in whole seconds."""
    instant = datetime.fromisoformat(any_text(value))
    if instant.tzinfo is None:
        raise ValueError("Input should have a time zone")
    try:
        return instant.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise ValueError("Input should be an instant that UTC can express") from None


def optional_instant(value: Any) -> datetime | None:
    """An instant, or null."""
    return None if value is None else instant(value)


def any_list(value: Any) -> list[Any]:
    """A list."""
    if type(value) is not list:
        raise ValueError("Input should be a list")
    return value


def cutoffs(value: Any) -> tuple[CutOff, ...]:
    """Cut-offs by claim and digest."""
    return tuple(
        _cutoff(claim, digest, numbers)
        for claim, by_digest in [
            (Claim(name), _object(digests)) for name, digests in _object(value).items()
        ]
        for digest, numbers in by_digest.items()
    )


def _cutoff(claim: Claim, digest: str, numbers: Any) -> CutOff:
    """A cut-off from `[before]` (a block) or `[before, duration]`; epoch seconds, and seconds."""
    if not re.fullmatch(_CUT_DIGEST, digest):
        raise ValueError("Input should have digests of 16 characters of base64url")
    before, *seconds = map(integer, any_list(numbers))
    if len(seconds) > 1:
        raise ValueError("Input should be an instant and at most one period")
    try:
        at = datetime.fromtimestamp(before, UTC)
        until = at + timedelta(seconds=seconds[0]) if seconds else None
    except (OverflowError, OSError):
        raise ValueError("Input should be an instant that UTC can express") from None
    return CutOff(claim, digest, at, until)


def _object(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise ValueError("Input should be an object")
    return value
