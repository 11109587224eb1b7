"""Parse token requests, as JSON or as a form; errors name the field."""

import base64
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from keyturn.access import members
from keyturn.access.grant import ErrorCode, TokenRequest, display_name
from keyturn.api.answers import BadRequest
from keyturn.tokens import strict_json

MAX_BODY = 32 * 1024  # bytes
_MAX_DEPTH = 200  # levels of claims within claims
_FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 100  # of a form


def from_http(event: Mapping[str, Any], client: str) -> TokenRequest:
    """From the body of `POST /token/{client}`, by its Content-Type; raises BadRequest."""
    body = _body(event)
    if _media_type(event) == _FORM:
        return _from_form(body, client)
    try:
        fields = strict_json.loads(body)
    except ValueError:
        raise BadRequest("body", "is not a JSON object") from None
    return _from_fields(fields)


def from_invoke(event: Mapping[str, Any]) -> TokenRequest:
    """From the event of a direct invoke; raises BadRequest."""
    return _from_fields({name: value for name, value in event.items() if name != "client"})


def _from_fields(fields: Mapping[str, Any]) -> TokenRequest:
    for name in sorted(fields.keys() - _READERS.keys(), key=ascii):
        raise BadRequest(display_name(name) or "body", "is not a field of a request")
    values = {}
    for name, value in fields.items():
        try:
            values[name] = _READERS[name](value)
        except ValueError as error:
            raise BadRequest(name, str(error)) from None
    return TokenRequest(**values)


def _from_form(body: bytes, client: str) -> TokenRequest:
    """RFC 6749 section 4.4.2: the client is the subject. Other fields are ignored (section 3.2)."""
    fields = _form_fields(body)
    if "grant_type" not in fields:
        raise BadRequest("grant_type", "is required")
    if fields["grant_type"] != "client_credentials":
        raise BadRequest("grant_type", "should be client_credentials", "unsupported_grant_type")
    if fields.get("client_id", client) != client:
        raise BadRequest("client_id", "is not the client in the path")
    targets = {fields[name] for name in ("resource", "audience") if name in fields}
    if len(targets) > 1:
        raise BadRequest("resource", "contradicts the parameter audience", ErrorCode.INVALID_TARGET)
    scope = fields.get("scope", "")
    return TokenRequest(subject=client, audience=next(iter(targets), None), scope=scope)


def _form_fields(body: bytes) -> Mapping[str, str]:
    """The fields, each at most once; an empty one counts as omitted (RFC 6749 section 3.2)."""
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError:
        raise BadRequest("body", "is not a form in UTF-8") from None
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:  # one token is for one audience (RFC 8707 section 2)
            error = ErrorCode.INVALID_TARGET if name == "resource" else ErrorCode.INVALID_REQUEST
            raise BadRequest(display_name(name) or "body", "is given twice", error)
        fields[name] = value
    return {name: value for name, value in fields.items() if value}


def _body(event: Mapping[str, Any]) -> bytes:
    body = "" if event.get("body") is None else event["body"]
    if not isinstance(body, str):
        raise BadRequest("body", "should be a text")
    if len(body) > MAX_BODY * 4 / 3:
        raise BadRequest("body", f"is larger than {MAX_BODY} bytes")
    encoded = event.get("isBase64Encoded")
    try:
        raw = base64.b64decode(body, validate=True) if encoded else body.encode()
    except ValueError:
        raise BadRequest("body", f"is not {'base64' if encoded else 'UTF-8'}") from None
    if len(raw) > MAX_BODY:
        raise BadRequest("body", f"is larger than {MAX_BODY} bytes")
    return raw


def _media_type(event: Mapping[str, Any]) -> str:
    headers = event.get("headers")
    for name, value in headers.items() if isinstance(headers, Mapping) else ():
        if str(name).lower() == "content-type" and isinstance(value, str):
            return value.partition(";")[0].strip().lower()
    return ""


def _subject(value: Any) -> str | None:
    return None if value is None else members.text(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("should be a text")
    return value


def _audience(value: Any) -> str | None:
    return None if value is None else _text(value)


def _lifetime(value: Any) -> int | None:
    return None if value is None else members.seconds(value)


def _claims(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("should be an object")
    if not _is_shallow(value, _MAX_DEPTH):
        raise ValueError(f"are nested more than {_MAX_DEPTH} levels deep")
    return value


def _is_shallow(value: Any, levels: int) -> bool:
    children = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    return levels > 0 and all(_is_shallow(child, levels - 1) for child in children)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "subject": _subject,
    "audience": _audience,
    "scope": _text,
    "lifetime": _lifetime,
    "claims": _claims,
}
