"""What operators ordered to be revoked, blocked or released, and when each order was acknowledged.

Two orders of one client within 2ε + 2 s are simultaneous, by clocks that may differ: either may be overtaken, and
then is not acknowledged.
"""

import base64
import hashlib
import math
from dataclasses import dataclass, field
from functools import lru_cache

from keyturn.keyset.timing import Times
from tests.simulation.watch.tokens import Token

_CLAIMS = ("client_id", "sub", "jti")

Value = tuple[str, str]  # a claim and the digest of its value


@lru_cache(4096)
def digest(value: str) -> str:
    """The first 96 bits of its SHA-256, in base64url."""
    return base64.urlsafe_b64encode(hashlib.sha256(value.encode()).digest()[:12]).decode()


def values_of(token: Token) -> frozenset[Value]:
    """By which a cut-off can name the token."""
    return frozenset((claim, digest(token.claims[claim])) for claim in _CLAIMS)


@dataclass
class Order:
    """What an operator wants, in true seconds; `planned` is when its instant was certainly chosen."""

    ordered: float
    cut: frozenset[Value] = frozenset()
    blocked: frozenset[Value] = frozenset()
    released: frozenset[Value] = frozenset()
    planned: float = math.inf
    acknowledged: float = math.inf
    flushed: float = math.inf
    is_lost: bool = False  # with the whole keyset, since: nothing is promised of it
    is_idle: bool = False  # a release of a client that was not blocked when it was ordered


@dataclass(frozen=True, slots=True)
class Entry:
    """A cut-off as a generation has it, in true seconds; without an end it blocks."""

    landed: float
    value: Value
    before: float
    until: float

    def hits(self, token: Token) -> bool:
        """Whether it refuses the token."""
        named = self.value in values_of(token)
        return named and (self.until == math.inf or token.issued_at < self.before)


@dataclass(kw_only=True)
class Orders:
    """Every order of a run, in true seconds."""

    times: Times
    orders: dict[str, Order] = field(default_factory=dict)  # by the reason that it gives

    def lose(self) -> None:
        """Every generation was deleted."""
        for order in self.orders.values():
            order.is_lost = True

    def _is_perhaps_blocked(self, value: Value, at: float) -> bool:
        blocked = any(value in order.blocked for order in self.orders.values())
        return blocked and not self._is_released(value, at)

    def _is_released(self, value: Value, at: float) -> bool:
        """Whether it was certainly released by then from each of its blocks, written or not."""
        blocks = [order.planned for order in self.orders.values() if value in order.blocked]
        last = max(blocks, default=math.inf) + self._slack
        return any(
            order.acknowledged <= at and order.ordered > last
            for order in self.orders.values()
            if value in order.released
        )

    def _first_release(self, block: Order) -> float:
        """When it was ordered first that the client be released from this block, or perhaps from it."""
        releases = [
            order.ordered
            for order in self.orders.values()
            if order.released & block.blocked and order.acknowledged >= block.ordered - self._slack
        ]
        return min(releases, default=math.inf)

    def _is_beside_another(self, order: Order) -> bool:
        """Then they may overtake each other, which is reported."""
        near = self._slack + self.times.write_delay
        return any(
            other is not order and abs(other.ordered - order.ordered) <= near
            for other in self.orders.values()
        )

    def _standing(self) -> list[Order]:
        return [order for order in self.orders.values() if not order.is_lost]

    @property
    def _was_lost(self) -> bool:
        return any(order.is_lost for order in self.orders.values())

    @property
    def _slack(self) -> float:
        return 2 * self.times.clock_skew + 2
