"""The keys of a test session, made afresh each time: those of the keyset, and strangers."""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

IN_KEYSET = ("active", "standby", "grace", "past", "retired", "revoked")
_RSA_BITS = {"stranger": 2048, "rsa1024": 1024, "rsa3072": 3072, "rsa4096": 4096}
_CURVES = {
    "p256": ec.SECP256R1(),
    "p384": ec.SECP384R1(),
    "p521": ec.SECP521R1(),
    "k256": ec.SECP256K1(),
}


def _rsa(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def base64url(raw: bytes) -> str:
    """RFC 7515 section 2; the product's own function is under test, so this is not it."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def octets(number: int) -> bytes:
    """The shortest big-endian bytes of a number."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


@dataclass(frozen=True)
class Keys:
    """Private keys by name. Those in the keyset are named after their state; `past` is a grace
    key after its `verify_until`."""

    private: dict[str, Any]

    @classmethod
    def generate(cls) -> "Keys":
        """All of them."""
        return cls(
            {
                **{name: _rsa(2048) for name in IN_KEYSET},
                **{name: _rsa(bits) for name, bits in _RSA_BITS.items()},
                **{name: ec.generate_private_key(curve) for name, curve in _CURVES.items()},
                "ed25519": ed25519.Ed25519PrivateKey.generate(),
            }
        )

    def public(self, name: str) -> Any:
        """The public key."""
        return self.private[name].public_key()

    def jwk(self, name: str) -> dict[str, str]:
        """The public JWK of an RSA key (RFC 7518 section 6.3)."""
        numbers = self.public(name).public_numbers()
        members = {"n": base64url(octets(numbers.n)), "e": base64url(octets(numbers.e))}
        return {"kty": "RSA", **members}

    def kid(self, name: str) -> str:
        """The thumbprint of an RSA key (RFC 7638 section 3)."""
        jwk = self.jwk(name)
        text = json.dumps(jwk, sort_keys=True, separators=(",", ":"))
        return base64url(hashlib.sha256(text.encode()).digest())

    def pem(self, name: str) -> str:
        """SubjectPublicKeyInfo as PEM."""
        form = PublicFormat.SubjectPublicKeyInfo
        return self.public(name).public_bytes(Encoding.PEM, form).decode()

    def pkcs1_pem(self, name: str) -> str:
        """RSAPublicKey as PEM."""
        return self.public(name).public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()

    def der(self, name: str) -> bytes:
        """SubjectPublicKeyInfo as DER."""
        return self.public(name).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
