"""S1, S2, S3 and S11: checked with every token that is issued and every answer of an authorizer."""

import base64
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from keyturn.keyset.timing import Times
from tests.simulation.watch.broken import insist
from tests.simulation.watch.jwks import Jwks
from tests.simulation.watch.truth import Truth

_ROUNDING = 1e-3  # seconds: the clocks of the product count in microseconds


@dataclass(frozen=True, slots=True)
class Token:
    """A token; `genuine` says that its kid's own key signed it."""

    text: str
    kid: str
    expires: float  # true seconds at which a clock that is right says exp
    genuine: bool
    promised: bool = (
        True  # False: its issuer could not know what had landed, as somebody deleted it
    )
    signed: float = math.inf  # true seconds; infinity if not by an issuer

    @property
    def claims(self) -> dict[str, Any]:
        """What was signed."""
        return _json(self.text.split(".")[1])

    @property
    def issued_at(self) -> float:
        """True seconds at which a clock that is right says iat."""
        return self.expires - self.claims["exp"] + self.claims["iat"]

    @property
    def audience(self) -> str:
        """Its `aud`."""
        return str(self.claims["aud"])

    @property
    def scopes(self) -> frozenset[str]:
        """Its `scope`, apart."""
        return frozenset(self.claims.get("scope", "").split())


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller saw, and the container that decided (None: API Gateway's cache)."""

    token: Token
    verdict: str  # allowed, refused, fault
    arrived: float  # true seconds
    ahead: float  # of the authorizer's clock, when it had decided
    last_read: float  # when its last good read of the keyset was sent
    trouble: float  # when SSM last failed it
    code: str = ""  # why it was refused


@dataclass
class Tokens:
    """What was issued, and what the authorizers said of it."""

    times: Times
    truth: Truth
    jwks: Jwks
    now: Callable[[], float]
    flushed: dict[str, float] = field(default_factory=dict)  # kid: when its caches were emptied

    def issued(self, text: str, at: float, epoch: float) -> Token:
        """A token that an issuer gave out; it was signed at `at`."""
        header, payload, _ = text.split(".")
        kid, exp = _json(header)["kid"], _json(payload)["exp"] - epoch
        edge = self.times.view_ttl + self.times.clock_skew
        if at <= self.truth.hidden_until(at) + edge:
            return Token(text, kid, exp, genuine=True, promised=False, signed=at)
        life = self.truth.life(kid)
        life.dead_by = max(life.dead_by, exp + self.times.leeway)
        self.jwks.signed(kid, at)
        return Token(text, kid, exp, genuine=True, signed=at)

    def answered(self, answer: Answer) -> None:
        """An authorizer has decided."""
        match answer.verdict:
            case "allowed":
                self._may_be_allowed(answer)
            case "refused":
                self._may_be_refused(answer)

    def cached(self, token: Token, arrived: float, trouble: float) -> None:
        """API Gateway let it in, by an authorizer's answer or by its cache."""
        revoked = self.truth.life(token.kid).revoked
        if revoked is None:
            return
        view = self.view(arrived, trouble) + self.times.result_ttl
        hidden = self.truth.hidden_until(arrived) + view
        bound = max(revoked + view, hidden)
        insist(arrived <= bound, "S2", "API Gateway lets in a revoked token past C + G + ε")
        flushed = self.flushed.get(token.kid)
        if flushed is not None and arrived - trouble > self.times.stale_limit:
            insist(
                arrived <= max(flushed, hidden),
                "S2",
                "API Gateway lets in a revoked token after the flush",
            )

    def view(self, at: float, trouble: float) -> float:
        """How long a revoked key may count: a view that nothing follows any more is as good as one without SSM."""
        trouble = max(trouble, self.truth.lost_at)
        troubled = at - trouble <= self.times.stale_limit + self.times.clock_skew
        limit = self.times.stale_limit if troubled else self.times.view_ttl
        return limit + self.times.clock_skew

    def _may_be_allowed(self, answer: Answer) -> None:
        token, life = answer.token, self.truth.life(answer.token.kid)
        insist(token.genuine, "S3", "a forged token is accepted")
        by_its_clock = answer.arrived + answer.ahead
        insist(by_its_clock < token.expires + self.times.leeway + self.times.clock_skew, "S3",
               "an expired token is accepted")  # fmt: skip
        view = self.view(answer.arrived, answer.trouble)
        if life.revoked is not None:
            since = max(life.revoked, self.truth.hidden_until(answer.arrived))
            insist(answer.arrived <= since + view, "S2", "a revoked token is accepted")
        insist(answer.arrived - answer.last_read <= view, "S11", "accepted on a view too old")

    def _may_be_refused(self, answer: Answer) -> None:
        token, life, now = answer.token, self.truth.life(answer.token.kid), self.now()
        if not (token.genuine and token.promised) or life.revoked is not None:
            return
        if now + answer.ahead + _ROUNDING >= token.expires + self.times.leeway:
            return
        if answer.arrived - answer.trouble <= self.times.stale_limit + self.times.clock_skew:
            return  # its view may be older than C
        if answer.code == "cut_off":
            return  # CutOffs says whether it may be
        spared = self.times.view_ttl + self.times.clock_skew
        if answer.arrived <= self.truth.hidden_until(now) + spared:
            return  # a new container sees what a deletion has left
        if life.alone and life.activated is not None and answer.arrived <= life.activated + spared:
            return
        insist(False, "S1", f"a good token of a key that is {life.state} is refused")


@lru_cache(4096)
def _json(segment: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(segment + "=="))
