"""How long a warm verifier lags behind the JWKS, to the millisecond, on a clock that is moved."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from keyturn.keyset.timing import BOUNDS
from tests.verifiers.catalogue import Running
from tests.verifiers.issuer import Issuer
from tests.verifiers.web import Site

_LONGEST_LIFE = BOUNDS["token_lifetime"][1]
NEVER = float(_LONGEST_LIFE - 1)  # no token lives to see more


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds from the JWKS's change to the verifier's; NEVER if it outlasts every token.

    `new_key` is for a key that is published and signs at once, as in an emergency without a known
    standby; `asked_early` the same where a token of it was tried just before it was published.
    """

    new_key: float
    asked_early: float
    revoked: float


def measure(running: Running, site: Site, options: Mapping[str, Any]) -> Lag:
    """The lags of this verifier with these options; each try is a new issuer and verifier."""

    def warm() -> Issuer:
        issuer = site.issuer(lifetime=_LONGEST_LIFE)
        issuer.activate(issuer.create())
        running.start(issuer, options)
        assert running.refusal(issuer, issuer.token()) is None
        return issuer

    def accepts_a_new_key(after: float, *, asked_early: bool = False) -> bool:
        issuer = warm()
        issuer.publishes = False
        issuer.create()
        issuer.revoke(issuer.active.kid)
        if asked_early:
            assert running.refusal(issuer, issuer.token())
        issuer.publish()
        issuer.advance(after)
        return running.refusal(issuer, issuer.token()) is None

    def refuses_a_revoked_key(after: float) -> bool:
        issuer = warm()
        token = issuer.token()
        issuer.create()
        issuer.revoke(issuer.active.kid)
        issuer.advance(after)
        return running.refusal(issuer, token) is not None

    return Lag(
        new_key=_first(accepts_a_new_key),
        asked_early=_first(lambda after: accepts_a_new_key(after, asked_early=True)),
        revoked=_first(refuses_a_revoked_key),
    )


def _first(happens: Callable[[float], bool]) -> float:
    """After how many seconds it first happens."""
    milliseconds = range(int(NEVER * 1000))
    return bisect_left(milliseconds, True, key=lambda after: happens(after / 1000)) / 1000
