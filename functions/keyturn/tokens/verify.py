"""Verify the signature of an access token (RFC 7515 section 5.2), RS256 only."""

from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from keyturn.tokens import strict_json
from keyturn.tokens.errors import Code, TokenRefused
from keyturn.tokens.jws import SIGNATURE_BYTES, UnverifiedToken

_PADDING, _PREHASHED = PKCS1v15(), Prehashed(SHA256())


def verify_signature(token: UnverifiedToken, public_key: RSAPublicKey) -> dict[str, Any]:
    """The signed claims, which `claims.check_claims` has yet to check; raises TokenRefused.

    The payload is not parsed before the signature has been verified.
    """
    if not has_signature(public_key, token.signature, token.signing_input):
        raise TokenRefused(Code.SIGNATURE)
    try:
        return strict_json.loads(token.payload)
    except ValueError:
        raise TokenRefused(Code.MALFORMED) from None


def has_signature(public_key: RSAPublicKey, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is this key's RSASSA-PKCS1-v1_5 SHA-256 signature of `message`."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        public_key.verify(signature, sha256(message).digest(), _PADDING, _PREHASHED)
    except InvalidSignature:
        return False
    return True
