"""JWS compact serialisation (RFC 7515 section 7.1), RS256 only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from keyturn.tokens import base64url, strict_json
from keyturn.tokens.errors import Code, TokenRefused

MAX_BYTES = 8192
SIGNATURE_BYTES = 256
_HEADER_MEMBERS = {"alg", "kid", "typ"}


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


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """A token taken apart; nothing in it may be believed before `signature` is verified."""

    kid: str
    signed: bytes
    payload: bytes
    signature: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take `text` apart; raises TokenRefused for any but the one strict shape."""
        if len(text) > MAX_BYTES:
            raise TokenRefused(Code.TOO_LARGE)
        segments = text.split(".")
        if len(segments) != 3 or not all(segments) or not text.isascii():
            raise TokenRefused(Code.MALFORMED)
        try:
            header, payload, signature = (base64url.decode(segment) for segment in segments)
            members = strict_json.loads(header)
        except ValueError:
            raise TokenRefused(Code.MALFORMED) from None
        if members.keys() != _HEADER_MEMBERS:  # RFC 8725 section 3.1: no jwk, jku, x5u, crit, b64
            raise TokenRefused(Code.HEADER)
        if members["alg"] != "RS256":
            raise TokenRefused(Code.ALGORITHM)
        if members["typ"] != "at+jwt":  # RFC 9068 section 4
            raise TokenRefused(Code.TYPE)
        if not isinstance(members["kid"], str):
            raise TokenRefused(Code.HEADER)
        signed = f"{segments[0]}.{segments[1]}".encode("ascii")
        return cls(kid=members["kid"], signed=signed, payload=payload, signature=signature)


def _segment(members: Mapping[str, Any]) -> str:
    text = json.dumps(members, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return base64url.encode(text.encode("utf-8"))
