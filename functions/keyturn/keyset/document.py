"""The stored form of a generation: one JSON document of at most 4,096 bytes.

It always fits: a keyset lists at most twelve keys, ten of them live (`Limits`), and the texts that
people choose are cut. All keys of a stack live in one account and Region, so their ARNs share a
beginning, which is stored once as `kms_key_arn_prefix`.
"""

import hashlib
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

from keyturn.keyset.errors import DocumentInvalid, DocumentTooLarge, InvariantBroken, NewerSchema
from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.states import State

SCHEMA = 1
MAX_BYTES = 4096  # SSM Standard tier
MAX_TEXT_BYTES = 200  # of `started_by` and of `reason`, as JSON writes them
_MAX_SECONDS = 10**9
_KID = _DIGEST = r"^[A-Za-z0-9_-]{43}$"  # SHA-256 in base64url


class _KidPattern:
    """What pydantic is told about a kid, without importing it where nothing else needs it."""

    def __get_pydantic_core_schema__(self, _source: object, _handler: object) -> Mapping[str, Any]:
        return {"type": "str", "pattern": _KID}


Kid = Annotated[str, _KidPattern()]


def _integer(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError("Input should be an integer of at least 1")
    return value


def _seconds(value: Any) -> int:
    if _integer(value) > _MAX_SECONDS:
        raise ValueError(f"Input should be at most {_MAX_SECONDS}")
    return int(value)


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


def _parent(value: Any) -> str:
    if _any_text(value) and not re.fullmatch(_DIGEST, value):
        raise ValueError("Input should be 43 characters of base64url, or empty")
    return str(value)


def _state(value: Any) -> State:
    return State(_any_text(value))


def _instant(value: Any) -> datetime:
    instant = datetime.fromisoformat(_any_text(value))
    if instant.tzinfo is None:
        raise ValueError("Input should have a time zone")
    try:
        return instant.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise ValueError("Input should be an instant that UTC can express") from None


def _optional_instant(value: Any) -> datetime | None:
    return None if value is None else _instant(value)


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise ValueError("Input should be a list")
    return value


_Readers = Mapping[str, Callable[[Any], Any]]
_KEY: _Readers = {"kid": _kid, "kms_key_arn": _text, "state": _state, "created": _instant}
_ENDED_KEY: _Readers = {**_KEY, "ended": _instant}
_LIVE_KEY: _Readers = {
    **_KEY,
    "lifetime": _seconds,
    "published": _optional_instant,
    "activated": _optional_instant,
    "superseded": _optional_instant,
    "verify_until": _optional_instant,
}
_DOCUMENT: _Readers = {
    "schema": _integer,
    "generation": _integer,
    "parent": _parent,
    "op_id": _any_text,
    "started_by": _any_text,
    "reason": _any_text,
    "at": _instant,
    "kms_key_arn_prefix": _any_text,
    "keys": _list,
    "ended": _list,
    "horizon": _optional_instant,
}


def digest(text: str) -> str:
    """By what a generation names its parent: SHA-256 of the exact text, in base64url."""
    raw = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def dumps(generation: Generation) -> str:
    """The document; raises DocumentTooLarge, or DocumentInvalid for what could not be read again."""
    keyset = generation.keyset
    prefix = _arn_prefix([key.kms_key_arn for key in keyset.known])
    members = {
        "schema": SCHEMA,
        "generation": generation.number,
        "parent": generation.parent,
        "op_id": generation.op_id,
        "started_by": _short(generation.started_by),
        "reason": _short(generation.reason),
        "at": _as_json(generation.at),
        "kms_key_arn_prefix": prefix,
        "keys": [_members(key, prefix) for key in keyset.keys],
        "ended": [_members(key, prefix) for key in keyset.ended],
        **({"horizon": _as_json(keyset.horizon)} if keyset.horizon else {}),
    }
    try:
        text = _json(members)
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


@lru_cache(maxsize=100)
def loads(text: str) -> Generation:
    """The generation, from the same text the same object: a run meets the same few over and over. Raises DocumentInvalid, also for a schema newer than this release's."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DocumentInvalid(f"not JSON ({error})") from None
    schema = raw.get("schema") if isinstance(raw, dict) else None
    if type(schema) is int and schema > SCHEMA:
        message = f"schema {schema} is newer than {SCHEMA}: deploy a newer Keyturn"
        raise NewerSchema(message, raw.get("parent"))
    if type(schema) is int and schema != SCHEMA:
        raise DocumentInvalid(f"schema {schema} is unknown")
    try:
        return _generation(_read(raw, _DOCUMENT), text)
    except InvariantBroken as error:
        raise DocumentInvalid(str(error)) from None


def _read(raw: Any, readers: _Readers, path: str = "") -> dict[str, Any]:
    """The members of `raw`, each as its reader takes it; raises DocumentInvalid with the first."""
    if not isinstance(raw, dict):
        raise DocumentInvalid(f"{path.rstrip('.') or 'document'}: Input should be an object")
    for name in raw.keys() - readers.keys():
        raise DocumentInvalid(f"{path}{ascii(name)[1:-1]}: Extra inputs are not permitted")
    members = {}
    for name, read in readers.items():
        if name in raw:
            try:
                members[name] = read(raw[name])
            except ValueError as error:
                raise DocumentInvalid(f"{path}{name}: {error}") from None
        elif read is not _optional_instant:
            raise DocumentInvalid(f"{path}{name}: Field required")
    return members


def _generation(members: Mapping[str, Any], text: str) -> Generation:
    prefix = members["kms_key_arn_prefix"]

    def keys(name: str, readers: _Readers) -> list[dict[str, Any]]:
        raw_keys = enumerate(members[name])
        keys = [_read(raw, readers, f"{name}.{index}.") for index, raw in raw_keys]
        return [{**key, "kms_key_arn": _arn(key["kms_key_arn"], prefix)} for key in keys]

    return Generation(
        number=members["generation"],
        op_id=members["op_id"],
        started_by=members["started_by"],
        reason=members["reason"],
        at=members["at"],
        keyset=Keyset(
            keys=tuple(Key(**key) for key in keys("keys", _LIVE_KEY)),
            ended=tuple(EndedKey(**key) for key in keys("ended", _ENDED_KEY)),
            horizon=members.get("horizon"),
        ),
        parent=members["parent"],
        text=text,
    )


def _members(key: Key | EndedKey, prefix: str) -> dict[str, Any]:
    members = {field.name: _as_json(getattr(key, field.name)) for field in fields(key)}
    members["kms_key_arn"] = key.kms_key_arn.removeprefix(prefix)
    return {name: value for name, value in members.items() if value is not None}


def _as_json(value: Any) -> Any:
    """Instants as RFC 3339 in UTC, anything else as it is."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


def _short(text: str) -> str:
    """`text`, cut where it would take more than its bytes."""
    short = text
    while len(_json(short).encode()) > MAX_TEXT_BYTES:
        short = f"{short.removesuffix('…')[:-1]}…"
    return short


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _arn_prefix(arns: list[str]) -> str:
    beginnings = {arn[: arn.rfind("/") + 1] for arn in arns}
    return beginnings.pop() if len(beginnings) == 1 else ""


def _arn(stored: str, prefix: str) -> str:
    return stored if stored.startswith("arn:") else prefix + stored
