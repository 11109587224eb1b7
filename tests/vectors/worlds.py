"""The authorizer's environment without AWS: fixed keysets, the session's keys, a fixed clock.

View and public keys are the product's own, with a reader and a source that never fail.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from keyturn.access.api import Api
from keyturn.aws.keyset.public_keys import PublicKeys
from keyturn.aws.settings import Settings
from keyturn.aws.view import View
from keyturn.keyset.cutoffs import Claim, CutOff
from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.states import State
from keyturn.tokens.claims import Expectations, check_claims
from keyturn.tokens.errors import Code, TokenRefused
from keyturn.tokens.jwk import PublicJwk
from keyturn.tokens.jws import UnverifiedToken
from keyturn.tokens.verify import verify_signature
from tests.periods import DEFAULTS
from tests.vectors.keys import Keys
from tests.vectors.recipe import AUDIENCE, ISSUER, LEEWAY, LIFETIMES, NOW, VERIFY_UNTIL

API = "arn:aws:execute-api:us-east-1:123456789012:api1/v1"
_TIMES = replace(DEFAULTS, leeway=LEEWAY)
CUT_OFFS: Mapping[tuple[str, str], int | None] = {  # epoch seconds of the instant; None blocks
    ("client_id", "cut-shop"): NOW - 60,
    ("client_id", "blocked-shop"): None,
    ("client_id", "ann"): NOW - 60,
    ("sub", "ann"): NOW - 10,
    ("sub", "J\u00fcrgen"): NOW - 60,
    ("sub", "x" * 2000): NOW - 60,
    ("sub", "nul\x00"): NOW - 60,
    ("sub", "late"): NOW + 20,
    ("jti", "6f9d3f2e"): NOW + 1,
    ("jti", "0"): NOW + 1,
}


def instant(seconds: float) -> datetime:
    """An aware datetime from epoch seconds."""
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)


class Counted:
    """A public key that counts how often it verifies."""

    def __init__(self, public_key: Any, world: "World") -> None:
        self._public_key, self._world = public_key, world

    def verify(self, *arguments: Any) -> None:
        """One RSA verification."""
        self._world.verifications += 1
        self._public_key.verify(*arguments)


class World:
    """The keyset against which a token is verified."""

    def __init__(
        self, keys: Keys, *, standby_published: bool = True, cutoffs: tuple[CutOff, ...] = ()
    ) -> None:
        self.keys, self._cutoffs = keys, cutoffs
        self.lookups = self.verifications = 0
        self.calls = 0  # that would go to AWS
        standby = None if standby_published else Code.KEY_NOT_PUBLISHED
        self._refused = {"standby": standby, "retired": Code.KEY_RETIRED}
        self._refused["revoked"] = Code.KEY_REVOKED
        self._names = {keys.kid(name): name for name in (*LIFETIMES, "retired", "revoked")}
        self._publics = {name: Counted(keys.public(name), self) for name in LIFETIMES}
        self._published = instant(NOW - 10_000) if standby_published else None

    def verify(self, text: str, now: float) -> dict[str, Any]:
        """The claims of a good token; raises TokenRefused."""
        token = UnverifiedToken.parse(text)
        public_key, lifetime = self.find_key(token.kid, now)
        claims = verify_signature(token, public_key)
        expected = Expectations(ISSUER, AUDIENCE, LEEWAY)
        check_claims(claims, expected, lifetime=lifetime, now=now)
        return claims

    def find_key(self, kid: str, now: float) -> tuple[Any, int]:
        """The public key and lifetime of a kid, without using the product's keyset."""
        self.lookups += 1
        name = self._names.get(kid)
        if name is None:
            raise TokenRefused(Code.UNKNOWN_KID)
        if code := self._refused.get(name):
            raise TokenRefused(code)
        if now > VERIFY_UNTIL.get(name, float("inf")):
            raise TokenRefused(Code.KEY_EXPIRED)
        return self._publics[name], LIFETIMES[name]

    def stack(self, now: float) -> SimpleNamespace:
        """A stack as `Stack.from_environment` gives it to the handler."""
        clock = SimpleNamespace(
            now=lambda: instant(now), monotonic=lambda: now, fraction=lambda: 0.0
        )
        generation = Generation(7, "op-1", "tests", "trying", instant(NOW), self._keyset())

        def read(*_arguments: object) -> Generation:
            self.calls += 1
            return generation

        def public_jwk(name: str) -> PublicJwk:
            self.calls += 1
            return PublicJwk.from_rsa(self.keys.public(name))

        reader = SimpleNamespace(read=read, read_newer=read)
        source = SimpleNamespace(public_jwk=public_jwk)
        settings = Settings(
            stack="vectors",
            bucket="vectors",
            issuer=ISSUER,
            audience=AUDIENCE,
            deletion_window=7,
            role_prefix="arn:aws:iam::123456789012:role/keyturn/us-east-1/vectors/",
            times=_TIMES,
        )
        return SimpleNamespace(
            settings=settings,
            times=_TIMES,
            clock=clock,
            view=View(reader, clock, ttl=30, stale_limit=300),
            public_keys=PublicKeys(source),
            api=lambda _api_id: Api("", AUDIENCE),
            expectations=lambda audience: Expectations(ISSUER, audience, _TIMES.leeway),
        )

    def _keyset(self) -> Keyset:
        born = instant(NOW - 20_000)
        live_keys: dict[str, dict[str, Any]] = {
            "active": {"state": State.ACTIVE, "published": born, "activated": born},
            "standby": {"state": State.STANDBY, "published": self._published},
            "grace": {"state": State.GRACE, "verify_until": instant(VERIFY_UNTIL["grace"])},
            "past": {"state": State.GRACE, "verify_until": instant(VERIFY_UNTIL["past"])},
        }
        live = tuple(
            Key(self.keys.kid(name), name, lifetime=LIFETIMES[name], created=born, **fields)
            for name, fields in live_keys.items()
        )
        ended = tuple(
            EndedKey(self.keys.kid(state.value), state.value, state, born, born)
            for state in (State.RETIRED, State.REVOKED)
        )
        return Keyset(live, ended, cutoffs=self._cutoffs)


def cutoffs(instants: Mapping[tuple[str, str], int | None]) -> tuple[CutOff, ...]:
    """Cut-offs as in CUT_OFFS, with digests computed here: 96 bits of SHA-256."""
    cutoffs = []
    for (claim, value), before in instants.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(value.encode()).digest()[:12]).decode()
        until = None if before is None else instant(before + 5000)
        cutoffs.append(CutOff(Claim(claim), digest, instant(before or NOW - 60), until))
    return tuple(cutoffs)


def rest_token(authorization: Any) -> dict[str, Any]:
    """A REST API's TOKEN event."""
    return {
        "type": "TOKEN",
        "methodArn": f"{API}/GET/orders",
        "authorizationToken": authorization,
    }


def rest_request(authorization: Any) -> dict[str, Any]:
    """A REST API's REQUEST event."""
    return {
        "type": "REQUEST",
        "methodArn": f"{API}/GET/orders",
        "resource": "/orders",
        "path": "/orders",
        "httpMethod": "GET",
        "headers": {"Host": "api.example", "Authorization": authorization},
        "requestContext": {"stage": "v1"},
    }


def http_api(authorization: Any) -> dict[str, Any]:
    """An HTTP API's event, payload format 2.0."""
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": f"{API}/GET/orders",
        "identitySource": [authorization],
        "routeKey": "GET /orders",
        "headers": {"host": "api.example", "authorization": authorization},
        "requestContext": {"stage": "v1"},
    }


def websocket(authorization: Any) -> dict[str, Any]:
    """A WebSocket API's event: it has an authorizer for `$connect` only."""
    return {
        "type": "REQUEST",
        "methodArn": f"{API}/$connect",
        "headers": {"Host": "api.example", "Authorization": authorization},
        "requestContext": {"routeKey": "$connect", "eventType": "CONNECT", "connectionId": "c1"},
    }


EVENTS = {
    "REST TOKEN": rest_token,
    "REST REQUEST": rest_request,
    "HTTP API 2.0": http_api,
    "WebSocket": websocket,
}
