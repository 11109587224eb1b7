"""Two independent libraries, which verify the tokens that we accept."""

import datetime as real
from typing import Any, Self

import jwt
import jwt.api_jwt
import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import RSAKey
from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

from tests.vectors.keys import Keys
from tests.vectors.recipe import AUDIENCE, ISSUER, LEEWAY, LIFETIMES

_REQUIRED = ("iss", "sub", "aud", "exp", "iat", "nbf", "jti")


class Peers:
    """PyJWT and joserfc with the session's public keys, at a fixed time."""

    def __init__(self, keys: Keys, now: float) -> None:
        self._now = now
        self._jwks = {keys.kid(name): keys.jwk(name) for name in LIFETIMES}
        self._pyjwt = {kid: jwt.PyJWK(jwk, "RS256") for kid, jwk in self._jwks.items()}
        self._joserfc = {kid: RSAKey.import_key({**jwk}) for kid, jwk in self._jwks.items()}

    def pyjwt(self, token: str) -> dict[str, Any]:
        """PyJWT's claims, all its checks on; raises what it raises."""
        kid = jwt.get_unverified_header(token)["kid"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(jwt.api_jwt, "datetime", _clock(self._now))
            return jwt.decode(
                token,
                self._pyjwt[kid],
                algorithms=["RS256"],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=LEEWAY,
                options={"require": list(_REQUIRED)},
            )

    def joserfc(self, token: str) -> dict[str, Any]:
        """joserfc's claims, all its checks on; raises what it raises."""
        decoded = joserfc_jwt.decode(
            token, lambda token: self._joserfc[token.headers()["kid"]], algorithms=["RS256"]
        )
        others: dict[str, ClaimsOption] = {
            name: {"essential": True} for name in _REQUIRED if name not in ("iss", "aud")
        }
        registry = JWTClaimsRegistry(
            now=int(self._now),
            leeway=LEEWAY,
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            **others,
        )
        registry.validate(decoded.claims)
        return decoded.claims


def _clock(now: float) -> type:
    class FixedDatetime(real.datetime):
        @classmethod
        def now(cls, tz: real.tzinfo | None = None) -> Self:
            return cls.fromtimestamp(now, tz)

    return FixedDatetime
