"""Verify Keyturn's tokens with joserfc, which fetches nothing: the key set is the caller's."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

from joserfc import jwt
from joserfc.jwk import KeySet


def verifier(issuer: str, audience: str, max_age: float = 300) -> Callable[[str], dict[str, Any]]:
    """What returns a token's claims, or raises; the key set is fetched again after `max_age` s."""
    keys, fetched = KeySet([]), -max_age
    registry = jwt.JWTClaimsRegistry(
        leeway=30,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
    )

    def verify(token: str) -> dict[str, Any]:
        nonlocal keys, fetched
        now = time.monotonic()
        if now - fetched >= max_age:
            with urlopen(f"{issuer}/.well-known/jwks.json", timeout=5) as answer:
                keys, fetched = KeySet.import_key_set(json.load(answer)), now
        claims = jwt.decode(token, keys, algorithms=["RS256"]).claims
        registry.validate(claims)
        return claims

    return verify
