"""The stored form of a generation: one JSON document of at most 4,096 bytes.

All keys of a stack live in one account and Region, so their ARNs share a beginning, which is stored
once as `kms_key_arn_prefix`: that is what lets twelve live keys fit.
"""

import json
from dataclasses import replace
from datetime import UTC
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)
from pydantic_core import PydanticSerializationError

from keyturn.keyset.errors import DocumentInvalid, DocumentTooLarge, InvariantBroken
from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.states import State

SCHEMA = 1
MAX_BYTES = 4096  # SSM Standard tier
_SHORT_TEXT = 60  # characters

Kid = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]
Instant = Annotated[
    AwareDatetime,
    AfterValidator(lambda at: at.astimezone(UTC).replace(microsecond=0)),
    PlainSerializer(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ")),
]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Key(_Model):
    kid: Kid
    kms_key_arn: str = Field(min_length=1)
    state: State
    lifetime: int = Field(ge=1)
    created: Instant
    published: Instant | None = None
    activated: Instant | None = None
    superseded: Instant | None = None
    verify_until: Instant | None = None


class _EndedKey(_Model):
    kid: Kid
    kms_key_arn: str = Field(min_length=1)
    state: State
    ended: Instant


class _Document(_Model):
    schema_: int = Field(alias="schema")
    generation: int = Field(ge=1)
    op_id: str
    started_by: str
    reason: str
    at: Instant
    kms_key_arn_prefix: str
    keys: tuple[_Key, ...]
    ended: tuple[_EndedKey, ...]


def dumps(generation: Generation) -> str:
    """The document; raises DocumentTooLarge, or DocumentInvalid for what could not be read again."""
    keyset = generation.keyset
    prefix = _arn_prefix([key.kms_key_arn for key in keyset.known])
    fields = {
        "schema": SCHEMA,
        "generation": generation.number,
        "op_id": generation.op_id,
        "started_by": generation.started_by,
        "reason": generation.reason,
        "at": generation.at,
        "kms_key_arn_prefix": prefix,
        "keys": tuple(_fields(key, prefix) for key in keyset.keys),
        "ended": tuple(_fields(key, prefix) for key in keyset.ended),
    }
    try:
        document = _Document.model_validate(fields)
        text = document.model_dump_json(by_alias=True, exclude_none=True)
    except (ValidationError, PydanticSerializationError) as error:
        raise DocumentInvalid(_first_problem(error)) from None
    size = len(text.encode())
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
    if isinstance(schema, int) and schema > SCHEMA:
        raise DocumentInvalid(f"schema {schema} is newer than {SCHEMA}: deploy a newer Keyturn")
    try:
        document = _Document.model_validate_json(text)
        if document.schema_ != SCHEMA:
            raise DocumentInvalid(f"schema {schema} is unknown")
        return _generation(document)
    except ValidationError as error:
        raise DocumentInvalid(_first_problem(error)) from None
    except InvariantBroken as error:
        raise DocumentInvalid(str(error)) from None


def _first_problem(error: ValidationError | PydanticSerializationError) -> str:
    if isinstance(error, PydanticSerializationError):
        return "a text that has no UTF-8"
    first = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "document"
    return f"{field}: {first['msg']}"


def _fits(generation: Generation) -> bool:
    try:
        dumps(generation)
    except DocumentTooLarge:
        return False
    return True


def _generation(document: _Document) -> Generation:
    prefix = document.kms_key_arn_prefix
    return Generation(
        number=document.generation,
        op_id=document.op_id,
        started_by=document.started_by,
        reason=document.reason,
        at=document.at,
        keyset=Keyset(
            keys=tuple(
                Key(**{**dict(key), "kms_key_arn": _whole(key.kms_key_arn, prefix)})
                for key in document.keys
            ),
            ended=tuple(
                EndedKey(**{**dict(key), "kms_key_arn": _whole(key.kms_key_arn, prefix)})
                for key in document.ended
            ),
        ),
    )


def _fields(key: Key | EndedKey, prefix: str) -> dict[str, Any]:
    fields = {name: getattr(key, name) for name in key.__dataclass_fields__}
    return {**fields, "kms_key_arn": key.kms_key_arn.removeprefix(prefix)}


def _arn_prefix(arns: list[str]) -> str:
    beginnings = {arn[: arn.rfind("/") + 1] for arn in arns}
    return beginnings.pop() if len(beginnings) == 1 else ""


def _whole(arn: str, prefix: str) -> str:
    return arn if arn.startswith("arn:") else prefix + arn
