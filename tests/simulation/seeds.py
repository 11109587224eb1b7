"""A run by its seed: which deployment, who does what and when, and what goes wrong."""

from random import Random
from typing import Any

from tests.simulation import faults, periods
from tests.simulation.executions import TROUBLES_OF_A_TASK, TROUBLES_OF_A_WAIT
from tests.simulation.faults import Fault
from tests.simulation.passage import INVOKE, Outage, Plan
from tests.simulation.play import Play
from tests.simulation.scenarios import unleash_others

_OUTAGES: tuple[tuple[str, Fault], ...] = (
    ("ssm:*", faults.server_error),
    ("ssm:Get*", faults.throttle),
    ("ssm:Put*", faults.throttle),
    ("s3:*", faults.server_error),
    ("kms:*", faults.throttle),
    ("kms:CreateKey", faults.denied),
    ("https:GET", faults.server_error),
    (INVOKE, faults.throttle),
)


class Drawn(Plan):
    """Faults that are drawn as the run goes: at this rate for calls, and for states."""

    def __init__(self, choose: Random, outages: tuple[Outage, ...]) -> None:
        super().__init__(outages=outages)
        self._choose = choose
        self._calls = choose.choice((0.0, 0.002, 0.01, 0.04))
        self._states = choose.choice((0.0, 0.0, 0.02, 0.1))

    @property
    def is_troubled(self) -> bool:
        """Whether anything can go wrong."""
        return bool(self._calls or self._states or self.outages)

    def at_call(self, label: str, operation: str, now: float) -> Fault | None:
        """See Plan."""
        if not self.over and self._choose.random() < self._calls:
            self.calls = {len(self.seen_calls): self._choose.choice(faults.kinds(operation))}
        return super().at_call(label, operation, now)

    def at_state(self, kind: str, state: str, now: float) -> str:
        """See Plan."""
        if not self.over and self._choose.random() < self._states:
            troubles = TROUBLES_OF_A_TASK if kind == "task" else TROUBLES_OF_A_WAIT
            self.states = {len(self.seen_states): self._choose.choice(troubles)}
        return super().at_state(kind, state, now)


def play(seed: int) -> Play:
    """The whole run of a seed; raises Broken."""
    choose = Random(f"script {seed}")
    times = choose.choice(periods.ALL)
    skew = choose.choice((0.0, times.clock_skew / 2, times.clock_skew))
    make = Play.founded if choose.random() < 0.05 else Play.booted
    run = make(times, seed=seed, skew=skew)
    horizon = choose.uniform(1.0, 2.5) * times.rotation_period
    run.world.plan = Drawn(choose, _outages(choose, run.begin, horizon))
    run.world.kms.tag_lag = choose.choice((0.0, 0.0, 5.0, 60.0, 300.0))
    run.world.kms.birth_lag = choose.choice((0.0, 0.0, 0.0, 0.4, 2.0, 2.0, 30.0, 300.0))
    if choose.random() < 0.5:
        run.world.kms.host = lambda _call: choose.random()

    run.at(0, run.rotate)
    if choose.random() < 0.15:
        run.at(choose.uniform(0, 2), run.rotate)  # the same event, delivered twice
    for at in _some(choose, horizon, 3):
        run.at(at, run.rotate)
    for _ in range(choose.choice((0, 0, 1, 1, 2, 3))):
        at = choose.choice((choose.uniform(0, 6), choose.uniform(0, horizon)))
        run.at(at, _operation(choose, run))
    for at in _some(choose, horizon, 4):
        run.at(at, run.reconcile)
    end = run.begin + horizon
    run.traffic.every(choose.choice((4, 12)), end, run.traffic.issue)
    run.traffic.every(choose.choice((2, 6)), end, run.traffic.show)
    run.at(choose.uniform(0, horizon), run.traffic.forge)
    unleash_others(run, str(seed), horizon, deletes=not run.world.plan.is_troubled)
    run.finish()
    return run


def _operation(choose: Random, run: Play) -> Any:
    def some_kids(play: Play) -> list[str]:
        keyset = play.world.truth.keyset
        kids = [key.kid for key in keyset.keys]
        active = [keyset.active.kid] if keyset.active and choose.random() < 0.6 else []
        picked = choose.sample(kids, choose.randint(0, len(kids)))
        return list(dict.fromkeys(active + picked)) or kids[:1]

    return choose.choice(
        (
            run.supersede,
            run.roll_back,
            run.roll_back,
            lambda: run.emergency(some_kids),
            lambda: run.emergency(some_kids),
            lambda: run.break_glass(some_kids),
        )
    )


def _some(choose: Random, horizon: float, most: int) -> list[float]:
    return [choose.uniform(0, horizon) for _ in range(choose.randint(0, most))]


def _outages(choose: Random, begin: float, horizon: float) -> tuple[Outage, ...]:
    if choose.random() < 0.75:
        return ()
    operations, fault = choose.choice(_OUTAGES)
    since = begin + choose.uniform(0, horizon)
    return (Outage(operations, since, since + choose.choice((5.0, 20.0, 60.0)), fault),)
