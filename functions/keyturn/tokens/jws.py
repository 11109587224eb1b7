"""JWS compact serialisation (RFC 7515 section 7.1), RS256 only."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from keyturn.tokens import base64url, strict_json
from keyturn.tokens.errors import Code, TokenRefused

MAX_BYTES = 8192
SIGNATURE_BYTES = 256
_HEADER_MEMBERS = {"alg", "kid", "typ"}
MAX_KNOWN = 256  # bytes of a header segment that are worth remembering; ours have 113
_MAX_NESTING = 64  # a header has none; looking into more of it would cost more than a good token


def signing_input(kid: str, claims: Mapping[str, Any]) -> str:
    """`header.payload`, what RS256 signs (RFC 7515 section 5.1)."""
    header = {"alg": "RS256", "kid": kid, "typ": "at+jwt"}
    return f"{_segment(header)}.{_segment(claims)}"


def compact(signed: str, signature: bytes) -> str:
    """The token."""
    return f"{signed}.{base64url.encode(signature)}"


def compact_size(signed: str) -> int:
    """How many bytes the token over `signed` will have."""
    return len(compact(signed, bytes(SIGNATURE_BYTES)))


class UnverifiedToken(NamedTuple):
    """A token taken apart; nothing in it may be believed before `signature` is verified."""

    header: bytes  # the segment as it stands
    kid: str
    signed: bytes
    payload: bytes
    signature: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take `text` apart; raises TokenRefused for any but the one strict shape."""
        return cls(*take_apart(text, {}))


def take_apart(text: str, known: Mapping[bytes, str]) -> tuple[bytes, str, bytes, bytes, bytes]:
    """The fields of an UnverifiedToken; `known` are headers parsed before, and their kids."""
    if len(text) > MAX_BYTES:
        raise TokenRefused(Code.TOO_LARGE)
    try:
        signed, _, last = text.encode("ascii").rpartition(b".")
        header, _, middle = signed.partition(b".")
        if not (header and middle and last):
            raise TokenRefused(Code.MALFORMED)
        payload, signature = base64url.decode_ascii(middle), base64url.decode_ascii(last)
        kid = known.get(header) if len(header) <= MAX_KNOWN else None
        if kid is None:
            kid = _kid(base64url.decode_ascii(header))
    except ValueError:
        raise TokenRefused(Code.MALFORMED) from None
    return header, kid, signed, payload, signature


def _kid(header: bytes) -> str:
    """The kid that a header names, if it has exactly the members and values it must have."""
    if header.count(b"[") + header.count(b"{") > _MAX_NESTING:
        raise TokenRefused(Code.MALFORMED)
    members = strict_json.loads(header)
    if members.keys() != _HEADER_MEMBERS:  # RFC 8725 section 3.1: no jwk, jku, x5u, crit, b64
        raise TokenRefused(Code.HEADER)
    if members["alg"] != "RS256":
        raise TokenRefused(Code.ALGORITHM)
    if members["typ"] != "at+jwt":  # RFC 9068 section 4
        raise TokenRefused(Code.TYPE)
    kid = members["kid"]
    if not isinstance(kid, str):
        raise TokenRefused(Code.HEADER)
    return kid


def _segment(members: Mapping[str, Any]) -> str:
    text = json.dumps(members, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return base64url.encode(text.encode("utf-8"))
