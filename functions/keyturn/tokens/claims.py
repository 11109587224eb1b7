"""Build and check the claims of an access token (RFC 9068 section 2.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from keyturn.tokens.errors import Code, TokenRefused

_TEXTS = ("iss", "sub", "aud", "jti", "client_id")
_INSTANTS = ("iat", "nbf", "exp")
_get_required = itemgetter(*_TEXTS, *_INSTANTS)
_ISSUER_CLAIMS = frozenset({*_TEXTS, *_INSTANTS, "scope"})


def build(
    *,
    issuer: str,
    subject: str,
    audience: str,
    client_id: str,
    jti: str,
    now: int,
    lifetime: int,
    scope: str = "",
    extra: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """The claims to sign: `now` in epoch seconds, `lifetime` in seconds, `scope` space-separated.

    Raises ValueError if `extra` has a claim that the issuer sets.
    """
    if not _ISSUER_CLAIMS.isdisjoint(extra):
        raise ValueError("an additional claim has the name of one of the issuer's claims")
    return {
        "iss": issuer,
        "sub": subject,
        "aud": audience,
        "exp": now + lifetime,
        "iat": now,
        "nbf": now,
        "jti": jti,
        "client_id": client_id,
        **({"scope": scope} if scope else {}),
        **extra,
    }


@dataclass(frozen=True, slots=True)
class Expectations:
    """What a verifier requires; `leeway` in seconds, `former_issuer` after a change of issuer."""

    issuer: str
    audience: str
    leeway: int
    former_issuer: str = ""


def check_claims(
    claims: Mapping[str, Any], expected: Expectations, *, lifetime: int, now: float
) -> None:
    """Raise TokenRefused unless the claims are valid at `now` (epoch seconds).

    `lifetime` is the longest that the key's tokens may live, in seconds.
    """
    try:
        iss, sub, aud, jti, client_id, issued_at, valid_from, expires_at = _get_required(claims)
    except KeyError:
        raise TokenRefused(Code.CLAIMS) from None
    if not (
        type(iss) is type(sub) is type(aud) is type(jti) is type(client_id) is str
        and (iss and sub and aud and jti and client_id)
        and type(issued_at)
        is type(valid_from)
        is type(expires_at)
        is int  # not isinstance: bool is a subclass of int
        and type(claims.get("scope", "")) is str
    ):
        raise TokenRefused(Code.CLAIMS)
    if iss not in (expected.issuer, expected.former_issuer):  # `iss` is not empty
        raise TokenRefused(Code.ISSUER)
    if aud != expected.audience:
        raise TokenRefused(Code.AUDIENCE)
    if not 0 < expires_at - issued_at <= lifetime:
        raise TokenRefused(Code.LIFETIME)
    if now >= expires_at + expected.leeway:
        raise TokenRefused(Code.EXPIRED)
    if max(issued_at, valid_from) > now + expected.leeway:
        raise TokenRefused(Code.NOT_YET_VALID)
