"""Long runs: months of a stack's life, with the product's own limits and everything that accumulates.

Only lasting faults occur here: keys are created and lost, foreign keys carry our tag, keys end by the
hundred. After each change everything that is stored is measured, and whenever no execution runs there
is a key that signs and one that stands by (L3).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from keyturn.keyset import document
from keyturn.keyset.model import Generation
from keyturn.keyset.timing import Limits, Times
from tests.periods import DEFAULTS
from tests.permissions.key_policy import default_policy
from tests.simulation import faults
from tests.simulation.ending import orphans
from tests.simulation.passage import Outage
from tests.simulation.play import Play
from tests.simulation.scenarios import active, every_key
from tests.simulation.watch.broken import insist

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
_MOST_STORED = 60  # parameters: 40 that may stay, and what lands before the next are pruned
_SHORT_WAITS = Times(
    view_ttl=2,
    propagation=4,
    token_lifetime=7_200,
    leeway=10,
    clock_skew=2,
    issuer_timeout=5,
    write_delay=5,
    result_ttl=0,
    rotation_period=14_400,
    stale_limit=60,
    jwks_max_age=2,
    cdn_ttl=2,
)
_SHORT_TOKENS = replace(
    _SHORT_WAITS,
    view_ttl=1,
    token_lifetime=12,
    leeway=2,
    clock_skew=1,
    rotation_period=60,
)


@dataclass
class Extremes:
    """The largest of everything that is watched."""

    document_bytes: int = 0
    stored: int = 0
    jwks_keys: int = 0
    unclaimed: int = 0
    ends: int = 0


@dataclass
class Endurance:
    """A run whose stored data is measured."""

    play: Play
    extremes: Extremes = field(default_factory=Extremes)

    @classmethod
    def booted(cls, times: Times = DEFAULTS) -> "Endurance":
        """A stack with its first keys; every change of it is measured from now on."""
        play = Play.founded(times, limits=Limits())
        play.rotate()
        play.world.scheduler.run()
        play.begin = play.world.now()
        run = cls(play)
        landed = play.world.truth.on_landing

        def measure(generation: Generation) -> None:
            landed(generation)
            run.measure(generation)

        play.world.truth.on_landing = measure
        return run

    def measure(self, generation: Generation) -> None:
        """Everything that is stored, with this generation."""
        world, most = self.play.world, self.extremes
        stored = sum(one.deleted is None for one in world.ssm.parameters.values())
        most.document_bytes = max(most.document_bytes, len(document.dumps(generation).encode()))
        most.stored = max(most.stored, stored)
        most.jwks_keys = max(most.jwks_keys, len(world.jwks.shown))
        most.unclaimed = max(most.unclaimed, len(orphans(world)))
        most.ends = sum(life.ended is not None for life in world.truth.lives.values())
        insist(stored <= _MOST_STORED, "L3", f"{stored} generations are stored")

    def every(self, seconds: float, until: float, act: Callable[[], Any]) -> None:
        """Do this again and again, until so many seconds after the beginning."""
        at = seconds
        while at < until:
            self.play.at(at, act)
            at += seconds

    def has_keys(self) -> None:
        """L3, whenever no execution runs."""
        world = self.play.world
        if all(execution.over for execution in world.executions):
            keyset = world.truth.keyset
            insist(keyset.active is not None, "L3", "no execution runs, and no key signs")
            insist(keyset.standby is not None, "L3", "no execution runs, and no key stands by")

    def finish(self) -> "Endurance":
        """Let everything end, and check the whole."""
        self.play.finish()
        return self


def hundreds_of_ends() -> Endurance:
    """A thousand ends in two days: rotations, and every key revoked, every few minutes."""
    run = Endurance.booted(_SHORT_WAITS)
    horizon = 2 * DAY
    run.every(5 * MINUTE, horizon, lambda: run.play.emergency(every_key))
    run.every(17 * MINUTE, horizon, run.play.supersede)
    run.every(29 * MINUTE, horizon, run.play.roll_back)
    run.every(10 * MINUTE, horizon, run.play.reconcile)
    run.every(3 * MINUTE + 1, horizon, run.has_keys)
    run.every(20 * MINUTE, horizon, run.play.traffic.issue)
    run.every(20 * MINUTE + 5, horizon, run.play.traffic.show)
    finished = run.finish()
    assert finished.extremes.ends >= 1_000
    return finished


def twenty_rotations_and_three_emergencies() -> Endurance:
    """As it was first seen to go wrong: each emergency revokes the active key in mid-rotation."""
    run = Endurance.booted(_SHORT_TOKENS)
    for number in range(20):
        run.play.at(number * MINUTE, run.play.supersede)
    for number in range(3):
        start = (21 + number) * MINUTE
        run.play.at(start, run.play.supersede)
        run.play.at(start + 15, lambda: run.play.emergency(active))
    run.every(MINUTE, HOUR, run.has_keys)
    return run.finish()


def rotations_that_fill_the_jwks() -> Endurance:
    """An operator rotates every minute for an hour, with tokens that live two: ten keys, and a wait."""
    run = Endurance.booted(_SHORT_WAITS)
    run.every(MINUTE, HOUR, run.play.supersede)
    run.every(10 * MINUTE, 4 * HOUR, run.play.reconcile)
    run.every(7 * MINUTE, 4 * HOUR, run.has_keys)
    finished = run.finish()
    assert finished.extremes.jwks_keys == Limits().live_keys
    return finished


def keys_that_pile_up() -> Endurance:
    """For hours no key that is created can be registered, and strangers tag theirs as ours."""
    run = Endurance.booted(_SHORT_WAITS)
    play, world, trouble = run.play, run.play.world, 6 * HOUR
    until = play.begin + trouble
    world.plan.outages = (Outage("kms:GetPublicKey", play.begin, until, faults.denied),)
    tags = [{"TagKey": "keyturn:stack", "TagValue": "sim"}]
    run.every(
        15 * MINUTE, 2 * trouble, lambda: world.kms.create(tags, default_policy(), foreign=True)
    )
    run.every(HOUR, trouble, play.supersede)
    run.every(10 * MINUTE, 2 * trouble, play.reconcile)
    play.at(trouble / 2, lambda: play.emergency(every_key))
    play.at(trouble + HOUR / 2, run.has_keys)
    play.at(trouble + HOUR, lambda: play.emergency(every_key))
    play.at(trouble + 1.5 * HOUR, run.has_keys)
    return run.finish()


def ten_years_of_schedules() -> Endurance:
    """The daily rotation and a reconcile a day: some 120 keys, and nothing has grown."""
    run = Endurance.booted()
    horizon = 3_650 * DAY
    run.every(DAY, horizon, run.play.rotate)
    run.every(DAY + HOUR, horizon, run.play.reconcile)
    run.every(30 * DAY, horizon, run.has_keys)
    return run.finish()


RUNS: Mapping[str, Callable[[], Endurance]] = {
    run.__name__.replace("_", " "): run
    for run in (  # the longest first
        hundreds_of_ends,
        ten_years_of_schedules,
        keys_that_pile_up,
        twenty_rotations_and_three_emergencies,
        rotations_that_fill_the_jwks,
    )
}


def plays() -> Iterator[Callable[[], Play]]:
    """The runs in which a mutant of the long run shows, the shortest first."""
    for name in reversed(list(RUNS)[2:]):
        yield partial(_play_of, RUNS[name])


def _play_of(run: Callable[[], Endurance]) -> Play:
    return run().play
