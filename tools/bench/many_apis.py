"""What containers that serve many APIs ask of SSM, by the product's own views and jitter."""

import random
from types import SimpleNamespace
from typing import Any

from keyturn.access.api import Api
from keyturn.aws.registry import Views
from keyturn.aws.view import View
from tests.periods import DEFAULTS
from tools.bench.fleet import Clock
from tools.bench.rows import Part, Row

CONTAINERS, RATE, SECONDS = 20, 2_000.0, 600  # requests a second, all containers together
NUMBERS = (1, 10, 50)  # of APIs
_TIMES = {"ttl": DEFAULTS.view_ttl, "stale_limit": DEFAULTS.stale_limit}


def reads(apis: int) -> float:
    """SSM reads per container and C, once all are warm; every container serves every API."""
    chance = random.Random(f"apis {apis}")
    clock: Any = Clock(chance)
    calls = 0

    def read(name: str = "keyset") -> Any:
        nonlocal calls
        calls += 1
        return Api(name, "audience")

    keyset: Any = SimpleNamespace(read=read, read_newer=lambda _held: read())
    registry: Any = SimpleNamespace(read=read)
    containers = [
        (
            View(keyset, clock, **_TIMES),
            Views(registry, lambda reader: View(reader, clock, **_TIMES)),
        )
        for _ in range(CONTAINERS)
    ]
    warm = 0
    while clock.seconds < SECONDS:
        clock.seconds += chance.expovariate(RATE)
        keysets, documents = chance.choice(containers)
        keysets.get()
        documents.view(f"api{chance.randrange(apis)}").get()
        if clock.seconds < SECONDS / 5:
            warm = calls
    return (calls - warm) / CONTAINERS / (0.8 * SECONDS / DEFAULTS.view_ttl)


def rows() -> list[Row]:
    """For some numbers of APIs, with what SSM's quota of 40 per second allows."""
    part = Part(
        f"SSM reads of warm, busy containers that serve many APIs, C = {DEFAULTS.view_ttl} s"
    )
    for apis in NUMBERS:
        each = reads(apis)
        most = int(40 * DEFAULTS.view_ttl / each)
        limit = 1.15 * (1 + apis)  # a view is read up to a fifth of C early, a tenth on average
        part.add(
            f"{apis} APIs: reads per container and C",
            f"{each:.1f}; {most:,} containers reach 40 /s",
            each / (1 + apis),
            f"≤ {limit:.0f}",
            each <= limit,
        )
    return part.rows
