"""RSA public keys as JWK (RFC 7517, RFC 7518 section 6.3) and their thumbprints (RFC 7638)."""

import hashlib
import json
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keyturn.tokens import base64url

KEY_BITS = 2048


class NotASigningKey(ValueError):
    """Not an RSA_2048 public key, or not the one that the kid certifies."""


@dataclass(frozen=True, slots=True)
class PublicJwk:
    """The public half of a signing key: modulus `n` and exponent `e` as base64url integers."""

    n: str
    e: str

    @classmethod
    def from_rsa(cls, key: RSAPublicKey) -> Self:
        """The JWK of a public key; raises NotASigningKey unless it is RSA_2048."""
        if key.key_size != KEY_BITS:
            raise NotASigningKey(f"an RSA key of {key.key_size} bits, not {KEY_BITS}")
        numbers = key.public_numbers()
        return cls(n=_encode_integer(numbers.n), e=_encode_integer(numbers.e))

    @classmethod
    def from_der(cls, der: bytes) -> Self:
        """The JWK of a SubjectPublicKeyInfo (what `kms:GetPublicKey` returns)."""
        try:
            key = load_der_public_key(der)
        except (ValueError, UnsupportedAlgorithm):
            raise NotASigningKey("not a DER SubjectPublicKeyInfo") from None
        if not isinstance(key, RSAPublicKey):
            raise NotASigningKey("not an RSA key")
        return cls.from_rsa(key)

    @property
    def kid(self) -> str:
        """The RFC 7638 SHA-256 thumbprint, which certifies exactly this modulus and exponent."""
        canonical = json.dumps({"e": self.e, "kty": "RSA", "n": self.n}, separators=(",", ":"))
        return base64url.encode(hashlib.sha256(canonical.encode()).digest())

    def public_key(self) -> RSAPublicKey:
        """The key to verify with; raises NotASigningKey if the numbers are not an RSA key."""
        try:
            n, e = (int.from_bytes(base64url.decode(text), "big") for text in (self.n, self.e))
            return RSAPublicNumbers(e, n).public_key()
        except ValueError:
            raise NotASigningKey("not the parameters of an RSA key") from None

    def members(self) -> dict[str, str]:
        """The JWK as it appears in the JWKS: public members only."""
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": self.n,
            "e": self.e,
        }


def certify(jwk: PublicJwk, kid: str) -> PublicJwk:
    """`jwk` if `kid` is its thumbprint; raises NotASigningKey."""
    if jwk.kid != kid:
        raise NotASigningKey(f"the public key for {kid} has a different thumbprint")
    return jwk


def _encode_integer(number: int) -> str:
    return base64url.encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))
