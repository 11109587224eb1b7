"""Verify an access token: strict before it is clever (docs/tokens.md)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from keyturn.tokens import strict_json
from keyturn.tokens.claims import Expected, check
from keyturn.tokens.errors import Code, TokenRefused
from keyturn.tokens.jws import SIGNATURE_BYTES, UnverifiedToken


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key that counts, and the longest life of its tokens in seconds."""

    public_key: RSAPublicKey
    lifetime: int


def verify(
    text: str,
    find_key: Callable[[str], VerificationKey],
    expected: Expected,
    *,
    now: float,
) -> dict[str, Any]:
    """The claims of a good token; raises TokenRefused. `now` in epoch seconds.

    `find_key` maps a kid to its key, or raises TokenRefused itself.
    """
    token = UnverifiedToken.parse(text)
    key = find_key(token.kid)
    if not has_signature(key.public_key, token.signature, token.signed):
        raise TokenRefused(Code.SIGNATURE)
    try:
        claims = strict_json.loads(token.payload)
    except ValueError:
        raise TokenRefused(Code.MALFORMED) from None
    check(claims, expected, lifetime=key.lifetime, now=now)
    return claims


def has_signature(public_key: RSAPublicKey, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is this key's RSASSA-PKCS1-v1_5 with SHA-256 over `message`."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        public_key.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
