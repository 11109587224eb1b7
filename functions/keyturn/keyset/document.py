"""The stored form of a generation: one JSON document of at most 4,096 bytes.

All keys of a stack live in one account and Region, so their ARNs share a beginning, which is stored
once as `kms_key_arn_prefix`: that is what lets twelve live keys fit.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Annotated, Any

from keyturn.keyset.errors import DocumentInvalid, DocumentTooLarge, InvariantBroken
from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.states import State

SCHEMA = 1
MAX_BYTES = 4096  # SSM Standard tier
_SHORT_TEXT = 60  # characters
_KID = r"^[A-Za-z0-9_-]{43}$"


class _KidPattern:
    """What pydantic is told about a kid, without importing it where nothing else needs it."""

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> Mapping[str, Any]:
        return {"type": "str", "pattern": _KID}


Kid = Annotated[str, _KidPattern()]


def _integer(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError("Input should be an integer of at least 1")
    return value


def _any_text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError("Input should be a text")
    return value


def _text(value: Any) -> str:
    if not _any_text(value):
        raise ValueError("Input should have at least 1 character")
    return str(value)


def _kid(value: Any) -> str:
    if not re.fullmatch(_KID, _any_text(value)):
        raise ValueError("Input should be 43 characters of base64url")
    return str(value)


def _state(value: Any) -> State:
    return State(_any_text(value))


def _instant(value: Any) -> datetime:
    instant = datetime.fromisoformat(_any_text(value))
    if instant.tzinfo is None:
        raise ValueError("Input should have a time zone")
    return instant.astimezone(UTC).replace(microsecond=0)


def _maybe_instant(value: Any) -> datetime | None:
    return None if value is None else _instant(value)


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise ValueError("Input should be a list")
    return value


_Readers = Mapping[str, Callable[[Any], Any]]
_BOTH: _Readers = {"kid": _kid, "kms_key_arn": _text, "state": _state}
_ENDED: _Readers = {**_BOTH, "ended": _instant}
_LIVE: _Readers = {
    **_BOTH,
    "lifetime": _integer,
    "created": _instant,
    "published": _maybe_instant,
    "activated": _maybe_instant,
    "superseded": _maybe_instant,
    "verify_until": _maybe_instant,
}
_DOCUMENT: _Readers = {
    "schema": _integer,
    "generation": _integer,
    "op_id": _any_text,
    "started_by": _any_text,
    "reason": _any_text,
    "at": _instant,
    "kms_key_arn_prefix": _any_text,
    "keys": _list,
    "ended": _list,
}


def dumps(generation: Generation) -> str:
    """The document; raises DocumentTooLarge, or DocumentInvalid for what could not be read again."""
    keyset = generation.keyset
    prefix = _arn_prefix([key.kms_key_arn for key in keyset.known])
    members = {
        "schema": SCHEMA,
        "generation": generation.number,
        "op_id": generation.op_id,
        "started_by": generation.started_by,
        "reason": generation.reason,
        "at": _told(generation.at),
        "kms_key_arn_prefix": prefix,
        "keys": [_members(key, prefix) for key in keyset.keys],
        "ended": [_members(key, prefix) for key in keyset.ended],
    }
    text = json.dumps(members, separators=(",", ":"), ensure_ascii=False)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise DocumentInvalid("a text that has no UTF-8") from None
    loads(text)
    if size > MAX_BYTES:
        raise DocumentTooLarge(
            f"generation {generation.number} would take {size} bytes, {MAX_BYTES} is the limit: "
            f"{len(keyset.keys)} live and {len(keyset.ended)} recently ended keys"
        )
    return text


def with_room(generation: Generation) -> Generation:
    """The generation, made to fit: a revocation must never be refused for want of room.

    Its texts are cut short, then the longest-ended keys are forgotten; those that this very change
    ended are kept. What still does not fit is left to `dumps`.
    """
    if _fits(generation):
        return generation
    fitting = replace(
        generation,
        started_by=generation.started_by[:_SHORT_TEXT],
        reason=generation.reason[:_SHORT_TEXT],
    )
    for key in sorted(generation.keyset.ended, key=lambda key: key.ended):
        if _fits(fitting) or key.ended >= generation.at:
            break
        left = tuple(kept for kept in fitting.keyset.ended if kept != key)
        fitting = replace(fitting, keyset=replace(fitting.keyset, ended=left))
    return fitting


def loads(text: str) -> Generation:
    """The generation; raises DocumentInvalid, also for a schema newer than this release's."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DocumentInvalid(f"not JSON ({error})") from None
    schema = raw.get("schema") if isinstance(raw, dict) else None
    if type(schema) is int and schema != SCHEMA:
        newer = f"newer than {SCHEMA}: deploy a newer Keyturn"
        raise DocumentInvalid(f"schema {schema} is {newer if schema > SCHEMA else 'unknown'}")
    try:
        return _generation(_read(raw, _DOCUMENT))
    except InvariantBroken as error:
        raise DocumentInvalid(str(error)) from None


def _read(raw: Any, readers: _Readers, path: str = "") -> dict[str, Any]:
    """The members of `raw`, each as its reader takes it; raises DocumentInvalid with the first."""
    if not isinstance(raw, dict):
        raise DocumentInvalid(f"{path.rstrip('.') or 'document'}: Input should be an object")
    for name in raw.keys() - readers.keys():
        raise DocumentInvalid(f"{path}{name}: Extra inputs are not permitted")
    members = {}
    for name, read in readers.items():
        if name in raw:
            try:
                members[name] = read(raw[name])
            except ValueError as error:
                raise DocumentInvalid(f"{path}{name}: {error}") from None
        elif read is not _maybe_instant:
            raise DocumentInvalid(f"{path}{name}: Field required")
    return members


def _fits(generation: Generation) -> bool:
    try:
        dumps(generation)
    except DocumentTooLarge:
        return False
    return True


def _generation(told: Mapping[str, Any]) -> Generation:
    prefix = told["kms_key_arn_prefix"]

    def keys(name: str, readers: _Readers) -> list[dict[str, Any]]:
        found = [_read(raw, readers, f"{name}.{at}.") for at, raw in enumerate(told[name])]
        return [{**key, "kms_key_arn": _whole(key["kms_key_arn"], prefix)} for key in found]

    return Generation(
        number=told["generation"],
        op_id=told["op_id"],
        started_by=told["started_by"],
        reason=told["reason"],
        at=told["at"],
        keyset=Keyset(
            keys=tuple(Key(**key) for key in keys("keys", _LIVE)),
            ended=tuple(EndedKey(**key) for key in keys("ended", _ENDED)),
        ),
    )


def _members(key: Key | EndedKey, prefix: str) -> dict[str, Any]:
    members = {field.name: _told(getattr(key, field.name)) for field in fields(key)}
    members["kms_key_arn"] = key.kms_key_arn.removeprefix(prefix)
    return {name: value for name, value in members.items() if value is not None}


def _told(value: Any) -> Any:
    """Instants as RFC 3339 in UTC, anything else as it is."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


def _arn_prefix(arns: list[str]) -> str:
    beginnings = {arn[: arn.rfind("/") + 1] for arn in arns}
    return beginnings.pop() if len(beginnings) == 1 else ""


def _whole(arn: str, prefix: str) -> str:
    return arn if arn.startswith("arn:") else prefix + arn
