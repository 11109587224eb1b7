"""Containers in a storm of junk tokens or a throttled account: the product's own view, virtual time.

A container answers one request at a time, as on Lambda. SSM is a bucket of 40 requests, filled with
40 a second; botocore sends a throttled request once more after up to a second (aws/clients.py).
"""

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

from keyturn.aws.faults import AwsFault, Throttled
from keyturn.aws.view import View
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import Generation, Keyset
from tests.periods import DEFAULTS
from tests.simulation.scheduler import Scheduler
from tools.bench.rows import Part, Row

QUOTA, BURST = 40.0, 40.0  # requests per second, and at once
REVOKED, END = 90.0, 180.0  # seconds from the first container's birth
BOUND = DEFAULTS.view_ttl + DEFAULTS.result_ttl + DEFAULTS.clock_skew
PATIENCE = 10  # seconds past the bound, while the fleet is throttled
_LATENCY = 0.02
_ATTEMPTS = 2
_EPOCH = datetime(2026, 3, 1, tzinfo=UTC)
_BEFORE, _AFTER = (
    Generation(number, "op-1", "bench", "counting", _EPOCH, Keyset()) for number in (42, 43)
)


@dataclass(frozen=True)
class Fleet:
    """What a run is made of; rates are per second, those of requests per container."""

    authorizers: int = 200
    issuers: int = 100
    good: float = 1.0
    junk: float = 0.0
    cold: bool = False  # all of them are born within a second, not within C
    others: float = 0.0  # requests to SSM by the rest of the account, from a minute on if not cold


@dataclass
class Report:
    """What came of it; `refusal` is of the last authorizer, in seconds after the write."""

    requests: int = 0
    throttled: int = 0
    unavailable: int = 0  # an issuer's 503
    refusal: float = 0.0
    ready: float = 0.0  # when the last container had its first view
    requests_until_ready: int = 0
    waiting: set[int] = field(default_factory=set)  # authorizers that have not heard

    @property
    def rate(self) -> float:
        """Requests of the fleet to SSM per second."""
        return self.requests / END


class Storm:
    """One run of a fleet; it is the clock of its containers."""

    def __init__(self, fleet: Fleet, seed: int = 0) -> None:
        self.fleet, self.report = fleet, Report()
        self._rng = random.Random(seed)
        self._scheduler = Scheduler()
        self._tokens, self._filled = BURST, 0.0
        self._starting: set[int] = set()

    def run(self) -> Report:
        """From birth to END."""
        containers = range(self.fleet.authorizers + self.fleet.issuers)
        self._starting = set(containers)
        birth = 1.0 if self.fleet.cold else float(DEFAULTS.view_ttl)
        self.report.waiting = set(range(self.fleet.authorizers))
        for number in containers:
            act = partial(self._container, number)
            at = self._rng.uniform(0, birth)
            self._scheduler.at(at, partial(self._scheduler.spawn, act, number))
        if self.fleet.others:
            self._scheduler.spawn(self._others, None)
        self._scheduler.run(END)
        self._scheduler.close()
        if self.report.waiting:
            self.report.refusal = float("inf")
        return self.report

    def _container(self, number: int) -> None:
        reader: Any = SimpleNamespace(read=self._read, read_newer=self._read)
        clock: Any = self
        view = View(reader, clock, ttl=DEFAULTS.view_ttl, stale_limit=DEFAULTS.stale_limit)
        authorizer = number < self.fleet.authorizers
        junk = self.fleet.junk if authorizer else 0.0
        rate = self.fleet.good + junk
        while True:
            if authorizer:
                self._authorize(view, number, unknown=self._rng.random() * rate < junk)
            else:
                self._issue(view, number)
            self._scheduler.pause(self._rng.expovariate(rate))

    def _authorize(self, view: View[Any], number: int, *, unknown: bool) -> None:
        """As api/authorize.py does with a kid that the view does not show, or shows."""
        try:
            generation = view.get()
            if unknown:
                generation = view.get_fresh()
        except (AwsFault, KeysetFault):
            return  # 500
        self._ready(number)
        if generation is _AFTER and number in self.report.waiting:
            self.report.waiting.remove(number)
            self.report.refusal = max(self.report.refusal, self._scheduler.now - REVOKED)

    def _issue(self, view: View[Any], number: int) -> None:
        try:
            view.get_fresh()
        except (AwsFault, KeysetFault):
            self.report.unavailable += 1
        else:
            self._ready(number)

    def _ready(self, number: int) -> None:
        if number in self._starting:
            self._starting.remove(number)
            self.report.ready = self._scheduler.now
            self.report.requests_until_ready = self.report.requests

    def _read(self, *_: object) -> Generation:
        for attempt in range(_ATTEMPTS):
            self.report.requests += 1
            self._scheduler.pause(_LATENCY)
            if self._granted():
                return _BEFORE if self._scheduler.now < REVOKED else _AFTER
            self.report.throttled += 1
            if attempt + 1 < _ATTEMPTS:
                self._scheduler.pause(self._rng.random())
        raise Throttled("ssm:GetParameters", "ThrottlingException")

    def _granted(self) -> bool:
        now = self._scheduler.now
        self._tokens = min(BURST, self._tokens + QUOTA * (now - self._filled))
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _others(self) -> None:
        self._scheduler.pause(0 if self.fleet.cold else 60)
        while True:
            self._granted()
            self._scheduler.pause(self._rng.expovariate(self.fleet.others))

    def now(self) -> datetime:
        """See aws.clock.Clock."""
        return _EPOCH + timedelta(seconds=self._scheduler.now)

    def monotonic(self) -> float:
        """See aws.clock.Clock."""
        return self._scheduler.now

    def fraction(self) -> float:
        """See aws.clock.Clock."""
        return self._rng.random()


_FLEET = Fleet()
_SEEDS = range(5)
_JUNK = (1, 10, 50)  # per second and authorizer
_STARVING = Fleet(junk=1, others=60)


def rows() -> list[Row]:
    """Junk tokens at several rates, a throttled account, a fleet that starts at once."""
    size = f"{_FLEET.authorizers} authorizers, {_FLEET.issuers} issuers"
    part = Part(f"SSM in a storm: {size}, a good token per second each, three minutes")
    quiet = Storm(_FLEET).run()
    part.add("requests without junk", f"{quiet.rate:.1f} /s", 1.0)
    for junk in _JUNK:
        report = Storm(replace(_FLEET, junk=junk)).run()
        ratio = report.rate / quiet.rate
        what = f"with {junk} junk tokens per second each"
        part.add_ratio(what, f"{report.rate:.1f} /s", ratio, at_most=1.1)
        answers = report.unavailable
        part.add("… issuers' 503", str(answers), goal="0", reached=answers == 0)
    sparse = replace(_FLEET, good=1 / DEFAULTS.view_ttl)
    idle, woken = (Storm(replace(sparse, junk=junk)).run().rate for junk in (0, 1))
    what = "idle containers that junk wakes"
    part.add(what, f"{idle:.1f} → {woken:.1f} /s", woken / quiet.rate)
    starving = [Storm(_STARVING, seed).run() for seed in _SEEDS]
    throttled = sum(r.throttled for r in starving) / sum(r.requests for r in starving)
    part.add("others ask for 60 /s: throttled", f"{throttled:.0%} of requests")
    refusal = max(report.refusal for report in starving)
    part.add(
        f"… last refusal after a revocation, worst of {len(_SEEDS)} seeds",
        f"{refusal:.1f} s",
        goal=f"≤ {BOUND} + {PATIENCE} s",
        reached=refusal <= BOUND + PATIENCE,
    )
    cold = Storm(Fleet(cold=True, good=5, junk=10)).run()
    first = cold.requests_until_ready / (_FLEET.authorizers + _FLEET.issuers)
    what = f"all born within a second: last view after {cold.ready:.0f} s, requests per container"
    part.add(what, f"{first:.1f}")
    return part.rows
