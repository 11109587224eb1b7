"""Whether a client may have a token: the decision of the issuer and of `keyturn client explain`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from keyturn.access import claim_names
from keyturn.access.client import Client, Subjects

# The names chosen by callers that an error description may show (RFC 6749 section 5.2: no " or \).
_PLAIN = re.compile(r"[!#-\[\]-~]{1,64}")


class ErrorCode(StrEnum):
    """Why a token is not granted: `error` of RFC 6749 section 5.2 and RFC 8707 section 2."""

    INVALID_REQUEST = "invalid_request"
    INVALID_SCOPE = "invalid_scope"
    INVALID_TARGET = "invalid_target"


class NotGranted(Exception):
    """The client may not have this token; `field` is the request member at fault."""

    def __init__(self, code: ErrorCode, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.code = code
        self.field = field
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """The requested token; `lifetime` in seconds, `scope` space-separated, None for the default."""

    subject: str | None = None
    audience: str | None = None
    scope: str = ""
    lifetime: int | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grant:
    """What the token will contain; `lifetime` in seconds, `scope` separated by single spaces."""

    subject: str
    audience: str
    scope: str
    lifetime: int
    claims: Mapping[str, Any]


def grant(client: Client, request: TokenRequest, *, key_lifetime: int) -> Grant:
    """The request with its defaults filled in; raises NotGranted.

    `key_lifetime` is the longest that the key's tokens may live, in seconds.
    """
    return Grant(
        _subject(client, request.subject),
        _audience(client, request.audience),
        _scope(client, request.scope),
        _lifetime(client, request.lifetime, key_lifetime),
        _claims(client, request.claims),
    )


def display_name(name: str) -> str | None:
    """The name if an error description may show it, else None."""
    return name if _PLAIN.fullmatch(name) else None


def _subject(client: Client, subject: str | None) -> str:
    if subject is None and client.subjects is Subjects.ITSELF:
        return client.name
    if subject is None:
        raise NotGranted(ErrorCode.INVALID_REQUEST, "subject", "is required")
    if not client.may_use_subject(subject):
        raise NotGranted(
            ErrorCode.INVALID_REQUEST, "subject", "is not one of this client's subjects"
        )
    return subject


def _audience(client: Client, audience: str | None) -> str:
    if audience is None and len(client.audiences) == 1:
        return next(iter(client.audiences))
    if audience is None:
        raise NotGranted(
            ErrorCode.INVALID_TARGET, "audience", "is required: this client has several"
        )
    if audience not in client.audiences:
        raise NotGranted(
            ErrorCode.INVALID_TARGET, "audience", "is not one of this client's audiences"
        )
    return audience


def _scope(client: Client, scope: str) -> str:
    if not set(scope.split(" ")) <= {*client.scopes, ""}:
        raise NotGranted(
            ErrorCode.INVALID_SCOPE, "scope", "contains a scope that this client may not have"
        )
    return " ".join(scope.split())


def _lifetime(client: Client, lifetime: int | None, key_lifetime: int) -> int:
    maximum = min(key_lifetime, client.max_lifetime or key_lifetime)
    if lifetime is not None and lifetime > maximum:
        raise NotGranted(
            ErrorCode.INVALID_REQUEST,
            "lifetime",
            f"is above this client's maximum of {maximum} seconds",
        )
    return maximum if lifetime is None else lifetime


def _claims(client: Client, claims: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in claims:
        problem = claim_names.find_problem(name)
        if problem is None and name not in client.claims:
            problem = "is not one of this client's claims"
        if problem:
            displayed_name = display_name(name)
            field = f"claims.{displayed_name}" if displayed_name else "claims"
            raise NotGranted(ErrorCode.INVALID_REQUEST, field, problem)
    return claims
