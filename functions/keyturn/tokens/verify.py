"""Verify an access token: strict before it is clever (docs/tokens.md)."""

from collections.abc import Callable, MutableMapping
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from keyturn.tokens import strict_json
from keyturn.tokens.claims import Expected, check
from keyturn.tokens.errors import Code, TokenRefused
from keyturn.tokens.jws import MAX_KNOWN, SIGNATURE_BYTES, take_apart

_MAX_HEADERS = 64  # far more than a keyset has keys
_PADDING, _HASHED = PKCS1v15(), Prehashed(SHA256())


class VerificationKey(NamedTuple):
    """A public key that counts, and the longest life of its tokens in seconds."""

    public_key: RSAPublicKey
    lifetime: int


class Signed(NamedTuple):
    """What a key that counts has signed; nothing else of it has been checked."""

    claims: dict[str, Any]
    lifetime: int  # the longest life of the key's tokens in seconds


def verify(
    text: str,
    find_key: Callable[[str], VerificationKey],
    expected: Expected,
    *,
    now: float,
    headers: MutableMapping[bytes, str] | None = None,
) -> dict[str, Any]:
    """The claims of a good token; raises TokenRefused. `now` in epoch seconds; see `read_signed`."""
    signed = read_signed(text, find_key, headers={} if headers is None else headers)
    check(signed.claims, expected, lifetime=signed.lifetime, now=now)
    return signed.claims


def read_signed(
    text: str,
    find_key: Callable[[str], VerificationKey],
    *,
    headers: MutableMapping[bytes, str],
) -> Signed:
    """The claims behind a genuine signature, to be checked by `claims.check`; raises TokenRefused.

    `find_key` maps a kid to its key, or raises TokenRefused itself. `headers` remembers which kid
    the header segments of signed tokens name: those of one key are all the same text. It is no
    verdict, and nobody without a key can add to it.
    """
    header, kid, signed, payload, signature = take_apart(text, headers)
    key = find_key(kid)
    if not has_signature(key.public_key, signature, signed):
        raise TokenRefused(Code.SIGNATURE)
    try:
        claims = strict_json.loads(payload)
    except ValueError:
        raise TokenRefused(Code.MALFORMED) from None
    if header not in headers and len(headers) < _MAX_HEADERS and len(header) <= MAX_KNOWN:
        headers[header] = kid
    return Signed(claims, key.lifetime)


def has_signature(public_key: RSAPublicKey, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is this key's RSASSA-PKCS1-v1_5 with SHA-256 over `message`."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        public_key.verify(signature, sha256(message).digest(), _PADDING, _HASHED)
    except InvalidSignature:
        return False
    return True
