"""What a thousand containers ask of SSM and KMS in an hour, by the product's own view and jitter."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from keyturn.aws.keyset.public_keys import PublicKeys
from keyturn.aws.view import View
from keyturn.keyset.model import Generation, Key, Keyset
from keyturn.keyset.states import State
from tests.periods import DEFAULTS
from tools.bench import storm
from tools.bench.rows import Part, Row

CONTAINERS, AUTHORIZATIONS, HOUR = 1_000, 1_000_000, 3_600
BURST = 1.0  # seconds in which all containers are born, as after a deployment
WINDOW = 10  # seconds: what SSM's token bucket sees as one burst
_EPOCH = datetime(2026, 3, 1, tzinfo=UTC)
_KEY = Key("k" * 43, "arn:aws:kms:us-east-1:1:key/1", State.ACTIVE, 3_600, _EPOCH)
_HELD = Generation(42, "op-1", "bench", "counting", _EPOCH, Keyset((_KEY,)))


class Clock:
    """Virtual time for all containers; chance by a seed, or none."""

    def __init__(self, chance: random.Random | None) -> None:
        self.seconds = 0.0
        self._chance = chance

    def now(self) -> datetime:
        """See aws.clock.Clock."""
        return _EPOCH + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """See aws.clock.Clock."""
        return self.seconds

    def fraction(self) -> float:
        """See aws.clock.Clock."""
        return self._chance.random() if self._chance else 0.0


@dataclass(frozen=True)
class Calls:
    """Calls by the second in which they were made."""

    ssm: Counter[int]
    kms: int

    @property
    def mean(self) -> float:
        """SSM calls a second, once all containers are there."""
        return sum(self._settled().values()) / (HOUR - DEFAULTS.view_ttl)

    def peak(self, window: int) -> float:
        """SSM calls a second in the busiest `window` seconds."""
        settled = self._settled()
        return max(
            sum(settled[second] for second in range(start, start + window)) / window
            for start in range(DEFAULTS.view_ttl, HOUR - window)
        )

    def _settled(self) -> Counter[int]:
        return Counter({s: n for s, n in self.ssm.items() if s >= DEFAULTS.view_ttl})


def simulate(*, jitter: bool) -> Calls:
    """One hour from the birth of all containers, requests at random moments."""
    chance = random.Random("fleet")
    clock: Any = Clock(chance if jitter else None)
    ssm: Counter[int] = Counter()
    kms = 0

    def read(*_: object) -> Generation:
        ssm[int(clock.seconds)] += 1
        return _HELD

    def public_jwk(_arn: str) -> Any:
        nonlocal kms
        kms += 1
        return SimpleNamespace(kid=_KEY.kid, public_key=object)

    reader, source = (
        SimpleNamespace(read=read, read_newer=read),
        SimpleNamespace(public_jwk=public_jwk),
    )
    times = {"ttl": DEFAULTS.view_ttl, "stale_limit": DEFAULTS.stale_limit}
    views = [View(reader, clock, **times) for _ in range(CONTAINERS)]
    keys = [PublicKeys(source) for _ in range(CONTAINERS)]
    for clock.seconds, number in _arrivals(random.Random("arrivals")):
        [key] = views[number].get().keyset.keys
        keys[number].get(key)
    return Calls(ssm, kms)


def _arrivals(rng: random.Random) -> Iterator[tuple[float, int]]:
    """Instants and containers: one each at the birth, then a million wherever they fall."""
    yield from ((BURST * number / CONTAINERS, number) for number in range(CONTAINERS))
    seconds = BURST
    rate = (AUTHORIZATIONS - CONTAINERS) / (HOUR - BURST)
    while (seconds := seconds + rng.expovariate(rate)) < HOUR:
        yield seconds, rng.randrange(CONTAINERS)


def rows() -> list[Row]:
    """With the product's jitter, and without any; then in a storm."""
    part = Part(
        f"AWS calls of {CONTAINERS:,} containers, {AUTHORIZATIONS:,} authorizations, one hour"
    )
    product, even = simulate(jitter=True), simulate(jitter=False)
    peak = product.peak(WINDOW)
    ratio = peak / product.mean
    part.add("SSM, mean", f"{product.mean:.1f} /s")
    part.add(f"SSM, busiest {WINDOW} s to mean", f"{peak:.1f} /s", ratio, "≤ 1.3 ×", ratio <= 1.3)
    for what, calls, window in (
        ("SSM, busiest single second to mean", product, 1),
        (f"the same without jitter, busiest {WINDOW} s", even, WINDOW),
        ("the same without jitter, busiest single second", even, 1),
    ):
        peak = calls.peak(window)
        part.add(what, f"{peak:.{int(window > 1)}f} /s", peak / calls.mean)
    each = product.kms / CONTAINERS
    part.add("KMS, calls per container and key", f"{each:.0f}", goal="1", reached=each == 1)
    return [*part.rows, *storm.rows()]
