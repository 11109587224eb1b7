"""Keys, tokens and stored documents: the same in every process of a run."""

import json
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyturn.keyset import document
from keyturn.keyset.model import Generation, Key, Keyset
from keyturn.keyset.states import State
from keyturn.tokens import claims, jws
from keyturn.tokens.base64url import encode
from keyturn.tokens.jwk import PublicJwk
from tests.definition import ROOT

PATH = ROOT / "build/bench/material.json"
TOKENS = 2_000
STACK = "bench"
ISSUER, AUDIENCE, SCOPE = "https://issuer.example", "orders", "orders:read orders:write"
LIFETIME = 3_600  # seconds
CLIENT = "arn:aws:iam::123456789012:role/shop-frontend"
_KMS_KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def write() -> Path:
    """A key, good tokens of it, bad ones by what is wrong with them, and SSM's answers, as JSON."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk, now = PublicJwk.from_rsa(key.public_key()), int(time.time())

    def token(number: int, at: int = now, by: rsa.RSAPrivateKey = key, **changes: str) -> str:
        payload = claims.build(
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
        signed = jws.build_signing_input(jwk.kid, payload | changes)
        return jws.serialize(signed, by.sign(signed.encode(), PKCS1v15(), SHA256()))

    keyset = _parameter("keyset/000000000042", _keyset(jwk.kid))
    permissions = {"audiences": [AUDIENCE], "scopes": SCOPE.split(), "subjects": "any"}
    client = _parameter("clients/batch-1", json.dumps(permissions))
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
        "page": {"Parameters": [keyset]},
        "parameters": {parameter["Name"]: parameter for parameter in (keyset, client)},
    }
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(json.dumps(material))
    return PATH


def _parameter(name: str, text: str) -> dict[str, str | float]:
    """As SSM answers it, in JSON."""
    path = f"/keyturn/{STACK}/{name}"
    return {"Name": path, "Value": text, "Version": 1, "LastModifiedDate": time.time()}


def _keyset(kid: str) -> str:
    """The keyset's document: an active key and a published standby."""
    now, other_key = datetime.now(UTC), _KMS_KEY.replace("1234", "4321")
    active = Key(kid, _KMS_KEY, State.ACTIVE, LIFETIME, now, now, now)
    standby = Key("s" * 43, other_key, State.STANDBY, LIFETIME, now, now)
    return document.dumps(
        Generation(42, "op-1", STACK, "measuring", now, Keyset((active, standby)))
    )
