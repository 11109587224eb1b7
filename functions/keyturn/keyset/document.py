"""The stored form of a generation: one JSON document of at most 4,096 bytes.

It always fits: a keyset lists at most twelve keys, ten of them live (`Limits`), and long texts are
shortened. All keys of a stack are in one account and Region, so their ARNs have a common prefix,
which is stored once as `kms_key_arn_prefix`.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from keyturn.keyset import values
from keyturn.keyset.cutoffs import CutOff
from keyturn.keyset.errors import DocumentInvalid, DocumentTooLarge, InvariantBroken, NewerSchema
from keyturn.keyset.model import MAX_BYTES, EndedKey, Generation, Key, Keyset

SCHEMA = 1
MAX_TEXT_BYTES = 200  # of `started_by` and of `reason`, encoded as JSON


_Readers = Mapping[str, Callable[[Any], Any]]
_KEY: _Readers = {
    "kid": values.kid,
    "kms_key_arn": values.text,
    "state": values.state,
    "created": values.instant,
}
_ENDED_KEY: _Readers = {**_KEY, "ended": values.instant}
_LIVE_KEY: _Readers = {
    **_KEY,
    "lifetime": values.seconds,
    "published": values.optional_instant,
    "activated": values.optional_instant,
    "superseded": values.optional_instant,
    "verify_until": values.optional_instant,
}
_DOCUMENT: _Readers = {
    "schema": values.integer,
    "generation": values.integer,
    "parent": values.parent,
    "op_id": values.any_text,
    "started_by": values.any_text,
    "reason": values.any_text,
    "at": values.instant,
    "kms_key_arn_prefix": values.any_text,
    "keys": values.any_list,
    "ended": values.any_list,
    "horizon": values.optional_instant,
    "cutoffs": values.cutoffs,
}
_OPTIONAL = {"published", "activated", "superseded", "verify_until", "horizon", "cutoffs"}


def digest(text: str) -> str:
    """The digest that names a parent generation: SHA-256 of the exact text, in base64url."""
    raw = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def dumps(generation: Generation) -> str:
    """The document; raises DocumentTooLarge, or DocumentInvalid if it could not be read back."""
    keyset = generation.keyset
    prefix = _arn_prefix([key.kms_key_arn for key in keyset.all_keys])
    members = {
        "schema": SCHEMA,
        "generation": generation.number,
        "parent": generation.parent,
        "op_id": generation.op_id,
        "started_by": _shorten(generation.started_by),
        "reason": _shorten(generation.reason),
        "at": _as_json(generation.at),
        "kms_key_arn_prefix": prefix,
        "keys": [_members(key, prefix) for key in keyset.keys],
        "ended": [_members(key, prefix) for key in keyset.ended],
        **({"horizon": _as_json(keyset.horizon)} if keyset.horizon else {}),
        **({"cutoffs": _cutoff_members(keyset.cutoffs)} if keyset.cutoffs else {}),
    }
    try:
        text = _json(members)
        size = len(text.encode())
    except UnicodeEncodeError:
        raise DocumentInvalid("contains a text that cannot be encoded as UTF-8") from None
    loads(text)
    if size > MAX_BYTES:
        raise DocumentTooLarge(
            f"generation {generation.number} would take {size} bytes; the limit is {MAX_BYTES}: "
            f"{len(keyset.keys)} live and {len(keyset.ended)} recently ended keys"
        )
    return text


@lru_cache(maxsize=100)
def loads(text: str) -> Generation:
    """Parse a generation; cached, because a run reads the same few texts again and again.

    Raises DocumentInvalid; NewerSchema, a subclass, if a newer release wrote the document.
    """
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
    """The members of `raw`, each parsed by its reader; raises DocumentInvalid."""
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
        elif name not in _OPTIONAL:
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
            cutoffs=members.get("cutoffs", ()),
        ),
        parent=members["parent"],
        text=text,
    )


def _members(key: Key | EndedKey, prefix: str) -> dict[str, Any]:
    members = {field.name: _as_json(getattr(key, field.name)) for field in fields(key)}
    members["kms_key_arn"] = key.kms_key_arn.removeprefix(prefix)
    return {name: value for name, value in members.items() if value is not None}


def _cutoff_members(cutoffs: Iterable[CutOff]) -> dict[str, dict[str, list[int]]]:
    members: dict[str, dict[str, list[int]]] = {}
    for cutoff in cutoffs:
        duration = [int((cutoff.until - cutoff.before).total_seconds())] if cutoff.until else []
        by_digest = members.setdefault(cutoff.claim.value, {})
        by_digest[cutoff.digest] = [int(cutoff.before.timestamp()), *duration]
    return members


def _as_json(value: Any) -> Any:
    """Instants as RFC 3339 in UTC; anything else unchanged."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


def _shorten(text: str) -> str:
    """`text`, shortened to MAX_TEXT_BYTES as JSON."""
    short = text
    while len(_json(short).encode()) > MAX_TEXT_BYTES:
        short = f"{short.removesuffix('…')[:-1]}…"
    return short


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _arn_prefix(arns: list[str]) -> str:
    prefixes = {arn[: arn.rfind("/") + 1] for arn in arns}
    return prefixes.pop() if len(prefixes) == 1 else ""


def _arn(stored_arn: str, prefix: str) -> str:
    return stored_arn if stored_arn.startswith("arn:") else prefix + stored_arn
