"""Public keys for verification, each read from KMS once per container.

SSM is trusted for which kids count, never for the keys themselves: the kid certifies what KMS
returns.
"""

from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from keyturn.keyset.model import Key
from keyturn.tokens.jwk import PublicJwk, certify


class KeySource(Protocol):
    """A source of public keys."""

    def public_jwk(self, arn: str) -> PublicJwk:
        """The public key of a KMS key."""
        ...


class PublicKeys:
    """At most one `kms:GetPublicKey` per kid."""

    def __init__(self, source: KeySource) -> None:
        self._source = source
        self._by_kid: dict[str, RSAPublicKey] = {}

    def get(self, key: Key) -> RSAPublicKey:
        """The public key; raises NotASigningKey if its thumbprint is not the kid, AwsFault."""
        public_key = self._by_kid.get(key.kid)
        if public_key is None:
            jwk = certify(self._source.public_jwk(key.kms_key_arn), key.kid)
            public_key = self._by_kid[key.kid] = jwk.public_key()
        return public_key
