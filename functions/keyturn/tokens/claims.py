"""The claims of an access token (RFC 9068 section 2.2): made here, checked here."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from keyturn.tokens.errors import Code, TokenRefused

_TEXTS = ("iss", "sub", "aud", "jti", "client_id")
_INSTANTS = ("iat", "nbf", "exp")
_required = itemgetter(*_TEXTS, *_INSTANTS)
_OWN = frozenset({*_TEXTS, *_INSTANTS, "scope"})


@dataclass(frozen=True, slots=True)
class Request:
    """What a token is to say. `lifetime` is in seconds, `scope` space-separated."""

    subject: str
    audience: str
    client_id: str
    lifetime: int
    scope: str
    extra: Mapping[str, Any]


def make(request: Request, *, issuer: str, jti: str, now: int) -> dict[str, Any]:
    """The claims to sign, `now` in epoch seconds; raises ValueError for extra claims of these names."""
    if not _OWN.isdisjoint(request.extra):
        raise ValueError("an extra claim has the name of one of the issuer's own")
    return {
        "iss": issuer,
        "sub": request.subject,
        "aud": request.audience,
        "exp": now + request.lifetime,
        "iat": now,
        "nbf": now,
        "jti": jti,
        "client_id": request.client_id,
        **({"scope": request.scope} if request.scope else {}),
        **request.extra,
    }


@dataclass(frozen=True, slots=True)
class Expected:
    """What a verifier insists on; `leeway` in seconds, `former_issuer` after a change of issuer."""

    issuer: str
    audience: str
    leeway: int
    former_issuer: str = ""


def check(claims: Mapping[str, Any], expected: Expected, *, lifetime: int, now: float) -> None:
    """Raise TokenRefused unless the claims hold at `now` for a key whose tokens live `lifetime`."""
    try:
        iss, sub, aud, jti, client_id, issued, valid_from, expires = _required(claims)
    except KeyError:
        raise TokenRefused(Code.CLAIMS) from None
    if not (
        type(iss) is type(sub) is type(aud) is type(jti) is type(client_id) is str
        and (iss and sub and aud and jti and client_id)
        and type(issued) is type(valid_from) is type(expires) is int  # a boolean is an int, too
        and type(claims.get("scope", "")) is str
    ):
        raise TokenRefused(Code.CLAIMS)
    if iss not in (expected.issuer, expected.former_issuer):  # `iss` is not empty
        raise TokenRefused(Code.ISSUER)
    if aud != expected.audience:
        raise TokenRefused(Code.AUDIENCE)
    if not 0 < expires - issued <= lifetime:
        raise TokenRefused(Code.LIFETIME)
    if now >= expires + expected.leeway:
        raise TokenRefused(Code.EXPIRED)
    if max(issued, valid_from) > now + expected.leeway:
        raise TokenRefused(Code.NOT_YET_VALID)
