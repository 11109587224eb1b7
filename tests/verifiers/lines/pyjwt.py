"""Verify Keyturn's tokens with PyJWT."""

from collections.abc import Callable
from typing import Any

import jwt


def verifier(issuer: str, audience: str, **options: Any) -> Callable[[str], dict[str, Any]]:
    """What returns a token's claims, or raises; `options` are PyJWKClient's."""
    keys = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json", **options)

    def verify(token: str) -> dict[str, Any]:
        key = keys.get_signing_key_from_jwt(token)
        return jwt.decode(
            token, key, algorithms=["RS256"], issuer=issuer, audience=audience, leeway=30
        )

    return verify
