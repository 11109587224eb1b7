"""JWS compact serialisation (RFC 7515 section 7.1), RS256 only."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Self

from keyturn.tokens import base64url, strict_json
from keyturn.tokens.errors import Code, TokenRefused

MAX_BYTES = 8192
SIGNATURE_BYTES = 256
_HEADER_MEMBERS = {"alg", "kid", "typ"}
_MAX_NESTING = 64  # a valid header has none; parsing more would cost more than verifying a token


def build_signing_input(kid: str, claims: Mapping[str, Any]) -> str:
    """`header.payload`, the input to the signature (RFC 7515 section 5.1)."""
    header = {"alg": "RS256", "kid": kid, "typ": "at+jwt"}
    return f"{_encode_segment(header)}.{_encode_segment(claims)}"


def serialize(signing_input: str, signature: bytes) -> str:
    """The token."""
    return f"{signing_input}.{base64url.encode(signature)}"


def serialized_size(signing_input: str) -> int:
    """The size of the signed token in bytes."""
    return len(serialize(signing_input, bytes(SIGNATURE_BYTES)))


class UnverifiedToken(NamedTuple):
    """The parts of a token; none may be trusted until `signature` has been verified."""

    kid: str
    signing_input: bytes
    payload: bytes
    signature: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Split and decode `text`; raises TokenRefused unless it has exactly the required form."""
        if len(text) > MAX_BYTES:
            raise TokenRefused(Code.TOO_LARGE)
        try:
            signing_input, _, last = text.encode("ascii").rpartition(b".")
            first, _, middle = signing_input.partition(b".")
            if not (first and middle and last):
                raise TokenRefused(Code.MALFORMED)
            payload, signature = base64url.decode_ascii(middle), base64url.decode_ascii(last)
            kid = _parse_header(first)
        except ValueError:
            raise TokenRefused(Code.MALFORMED) from None
        return cls(kid, signing_input, payload, signature)


@lru_cache(maxsize=64)  # all tokens of a key share one header segment
def _parse_header(segment: bytes) -> str:
    """The header's kid; raises TokenRefused unless members and values are exactly as required."""
    header = base64url.decode_ascii(segment)
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


def _encode_segment(members: Mapping[str, Any]) -> str:
    text = json.dumps(members, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return base64url.encode(text.encode("utf-8"))
