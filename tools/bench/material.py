"""Keys and tokens for everybody: the same in every process of a run."""

import json
import time
import uuid
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyturn.tokens import claims, jws
from keyturn.tokens.base64url import encode
from keyturn.tokens.jwk import PublicJwk

TOKENS = 2_000
ISSUER, AUDIENCE, SCOPE = "https://issuer.example", "orders", "orders:read orders:write"
LIFETIME = 3_600  # seconds
CLIENT = "arn:aws:iam::123456789012:role/shop-frontend"


def make(path: Path) -> dict[str, Any]:
    """A key, good tokens of it and bad ones by what is wrong with them; also as JSON in `path`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk, now = PublicJwk.from_rsa(key.public_key()), int(time.time())

    def token(number: int, at: int = now, by: rsa.RSAPrivateKey = key, **changes: str) -> str:
        made = claims.build(
            issuer=ISSUER,
            subject=f"user-{number}",
            audience=AUDIENCE,
            client_id=CLIENT,
            jti=str(uuid.uuid4()),
            now=at,
            lifetime=LIFETIME,
            scope=SCOPE,
            extra={"tenant": "b"},
        )
        made |= changes
        signed = jws.build_signing_input(jwk.kid, made)
        return jws.serialize(signed, by.sign(signed.encode(), PKCS1v15(), SHA256()))

    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    material = {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "kid": jwk.kid,
        "jwks": {"keys": [jwk.members()]},
        "der": encode(der),
        "tokens": [token(number) for number in range(TOKENS)],
        "bad": {
            "expired": token(0, at=now - 2 * LIFETIME),
            "another issuer": token(0, iss="https://other.example"),
            "another audience": token(0, aud="billing"),
            "another key": token(0, by=stranger),
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(material))
    return material
