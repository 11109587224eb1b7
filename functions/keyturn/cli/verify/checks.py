"""Each rule of docs/tokens.md separately, to show everything that is wrong with a token.

The verdict is the authorizer's; a test ensures that the first failing check is its reason.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from keyturn.api.authorize import CODE_BY_STATE
from keyturn.cli.formatting import duration, instant
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import State
from keyturn.tokens import base64url, strict_json
from keyturn.tokens.claims import Expectations, check_claims
from keyturn.tokens.errors import Code, TokenRefused
from keyturn.tokens.jws import MAX_BYTES, UnverifiedToken
from keyturn.tokens.verify import has_signature

_HEADER = {"alg": "RS256", "typ": "at+jwt"}
_MEMBERS = {"alg", "typ", "kid"}


@dataclass(frozen=True, slots=True)
class Check:
    """One rule; `passed` is None if it cannot be checked, `code` is the refusal if it fails."""

    name: str
    passed: bool | None
    code: Code
    detail: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """A token parsed as far as possible, and not trusted; a part that is not an object is None."""

    text: str
    header: Mapping[str, Any] | None
    claims: Mapping[str, Any] | None
    signed: bytes
    signature: bytes | None

    @classmethod
    def from_token(cls, text: str) -> "Decoded":
        """From any text, even if it is not a token."""
        header, _, rest = text.partition(".")
        payload, _, last = rest.partition(".")
        signed = text.rpartition(".")[0].encode(errors="replace")
        return cls(text, _object(header), _object(payload), signed, _bytes(last))

    @property
    def kid(self) -> str | None:
        """The kid in the header."""
        kid = self.header.get("kid") if self.header else None
        return kid if isinstance(kid, str) else None


@dataclass(frozen=True, slots=True)
class VerificationContext:
    """What a token is checked against; `public_key` is None if KMS no longer returns it."""

    key: Key | EndedKey | None
    public_key: RSAPublicKey | None
    expected: Expectations
    now: datetime
    keyset: Keyset


def checks(token: Decoded, context: VerificationContext) -> Iterator[Check]:
    """All rules, in the order in which the authorizer applies them."""
    yield from _form(token)
    yield _key(token, context)
    yield _signature(token, context.public_key)
    yield from _claims(token, context)


def _form(token: Decoded) -> Iterator[Check]:
    try:
        UnverifiedToken.parse(token.text)
        refusal = None
    except TokenRefused as refused:
        refusal = refused.code
    size = len(token.text)
    yield Check(
        "size", size <= MAX_BYTES, Code.TOO_LARGE, f"{size} of at most {MAX_BYTES} characters"
    )
    shape = None if refusal is Code.TOO_LARGE else refusal is not Code.MALFORMED
    yield Check(
        "shape", shape, Code.MALFORMED, "header.payload.signature in strict base64url and JSON"
    )
    header = token.header
    members = None if header is None else set(header) == _MEMBERS and token.kid is not None
    yield Check("header", members, Code.HEADER, "alg, typ and kid, and nothing else")
    for name, code in (("alg", Code.ALGORITHM), ("typ", Code.TYPE)):
        has = None if header is None else header.get(name) == _HEADER[name]
        yield Check(name, has, code, f"is {_HEADER[name]}")


def _key(token: Decoded, context: VerificationContext) -> Check:
    key, now = context.key, context.now
    if token.kid is None:
        return Check("key", None, Code.UNKNOWN_KID, "the token has no kid")
    if key is None:
        return Check("key", False, Code.UNKNOWN_KID, "no key of this stack has this kid")
    code = CODE_BY_STATE.get(key.state, Code.UNKNOWN_KID)
    if isinstance(key, EndedKey):
        return Check("key", False, code, f"{key.state} since {instant(key.ended)}")
    detail = str(key.state)
    if key.state is State.STANDBY:
        detail += ", published" if key.published else ", not published yet"
    elif key.state is State.GRACE:
        detail += f", verifies until {instant(key.verify_until)}"
    return Check("key", key.verifies(now), code, detail)


def _signature(token: Decoded, public_key: RSAPublicKey | None) -> Check:
    if token.signature is None:
        return Check("signature", None, Code.SIGNATURE, "there is none")
    if public_key is None:
        return Check("signature", None, Code.SIGNATURE, "no public key to check it with")
    good = has_signature(public_key, token.signature, token.signed)
    return Check("signature", good, Code.SIGNATURE, "RSASSA-PKCS1-v1_5 with SHA-256, by this key")


def _claims(token: Decoded, context: VerificationContext) -> Iterator[Check]:
    claims, expected, now = _strict(token), context.expected, context.now.timestamp()
    payload = None if token.text.count(".") < 2 else claims is not None
    yield Check("payload", payload, Code.MALFORMED, "a JSON object without duplicate names")
    typed = None if claims is None else _are_typed(claims, expected, now)
    detail = "iss, sub, aud, jti, client_id, iat, nbf, exp, of the right type"
    yield Check("claims", typed, Code.CLAIMS, detail)
    if claims is None or not typed:
        return
    key, leeway = context.key, expected.leeway
    issued, expires, begins = claims["iat"], claims["exp"], max(claims["iat"], claims["nbf"])
    issuers = [name for name in (expected.issuer, expected.former_issuer) if name]
    yield Check("iss", claims["iss"] in issuers, Code.ISSUER, f"is {' or '.join(issuers)}")
    yield Check("aud", claims["aud"] == expected.audience, Code.AUDIENCE, f"is {expected.audience}")
    longest = key.lifetime if isinstance(key, Key) else None
    within = None if longest is None else 0 < expires - issued <= longest
    detail = f"{expires - issued} s" + ("" if longest is None else f" of at most {longest} s")
    yield Check("lifetime", within, Code.LIFETIME, detail)
    yield Check("exp", now < expires + leeway, Code.EXPIRED, _moment(expires, context.now))
    yield Check("nbf", begins <= now + leeway, Code.NOT_YET_VALID, _moment(begins, context.now))
    yield _cutoff(claims, context)


def _cutoff(claims: Mapping[str, Any], context: VerificationContext) -> Check:
    cutoff = context.keyset.refusing_cutoff(claims)
    if cutoff is None:
        return Check("cut-off", True, Code.CUT_OFF, "its client, subject and jti are not cut off")
    effect = "is blocked since" if cutoff.is_block else "is cut off before"
    detail = f"{cutoff.claim} {effect} {instant(cutoff.before)}"
    return Check("cut-off", False, Code.CUT_OFF, detail)


def _strict(token: Decoded) -> dict[str, Any] | None:
    """The claims as the authorizer parses them."""
    payload = _bytes(token.text.partition(".")[2].partition(".")[0])
    try:
        return None if payload is None else strict_json.loads(payload)
    except ValueError:
        return None


def _are_typed(claims: Mapping[str, Any], expected: Expectations, now: float) -> bool:
    try:
        check_claims(claims, expected, lifetime=0, now=now)
    except TokenRefused as refused:
        return refused.code is not Code.CLAIMS
    return True


def _moment(epoch: int, now: datetime) -> str:
    try:
        at = datetime.fromtimestamp(epoch, UTC)
    except (ValueError, OverflowError, OSError):
        return "out of range"
    side = "ago" if at <= now else "from now"
    return f"{instant(at)}, {duration(at - now)} {side}"


def _bytes(segment: str) -> bytes | None:
    try:
        return base64url.decode_ascii(segment.encode("ascii")) if segment else None
    except ValueError:
        return None


def _object(segment: str) -> Mapping[str, Any] | None:
    """Parse as leniently as possible: the result is only displayed."""
    raw = _bytes(segment.rstrip("="))
    try:
        parsed = json.loads(raw) if raw else None
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
