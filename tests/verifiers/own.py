"""Keyturn's own authorizer in one container, beside the others: it reads the keyset, no JWKS."""

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from keyturn.access.api import Api
from keyturn.api.authorize import authenticate, read_generation
from keyturn.aws.clock import SystemClock
from keyturn.aws.keyset.public_keys import PublicKeys
from keyturn.aws.view import View
from keyturn.tokens.claims import Expectations
from keyturn.tokens.errors import TokenRefused
from keyturn.tokens.jws import UnverifiedToken
from tests.periods import DEFAULTS
from tests.verifiers.issuer import AUDIENCE, Issuer


class _Clock(SystemClock):
    """The issuer's; chance lets the view grow as old as it may."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer

    def now(self) -> datetime:
        return self._issuer.now

    def monotonic(self) -> float:
        return self._issuer.now.timestamp()

    def fraction(self) -> float:
        return 0


class Authorizer:
    """A container with the default times, which is replaced by a new one at every start."""

    _stack: Any

    def start(self, issuer: Issuer, options: Mapping[str, Any]) -> None:
        """A new container, which has read nothing yet; it has no options."""
        assert not options
        clock = _Clock(issuer)
        self._stack = SimpleNamespace(
            clock=clock,
            view=View(issuer, clock, ttl=DEFAULTS.view_ttl, stale_limit=DEFAULTS.stale_limit),
            public_keys=PublicKeys(issuer),
            api=lambda _api_id: Api("", AUDIENCE),
            expectations=lambda audience: Expectations(issuer.url, audience, DEFAULTS.leeway),
        )

    def refusal(self, _issuer: Issuer, token: str) -> str | None:
        """The code that the token is refused with, None if it is accepted."""
        try:
            parsed = UnverifiedToken.parse(token)
            generation = read_generation(self._stack, parsed.kid)
            authenticate(self._stack, parsed, generation)
        except TokenRefused as refusal:
            return str(refusal.code)
        return None
