"""Short scripts in which nothing is left to chance: each call and each state of them is broken once."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from keyturn.keyset.timing import Times
from tests.simulation import faults, operators, periods, teams
from tests.simulation.adversaries import catalogue as adversaries
from tests.simulation.executions import TROUBLES_OF_A_TASK, TROUBLES_OF_A_WAIT
from tests.simulation.passage import Outage, Plan
from tests.simulation.play import Play

_SKEW = 2.0
_OFTEN = 3


def active(play: Play) -> list[str]:
    """The key that signs."""
    keyset = play.world.truth.keyset
    return [keyset.active.kid] if keyset.active else []


def standby(play: Play) -> list[str]:
    """The key that signs next."""
    keyset = play.world.truth.keyset
    return [keyset.standby.kid] if keyset.standby else []


def grace(play: Play) -> list[str]:
    """The keys whose tokens may be alive."""
    return [key.kid for key in play.world.truth.keyset.grace]


def every_key(play: Play) -> list[str]:
    """All of them."""
    return [key.kid for key in play.world.truth.keyset.keys]


def _rotation(play: Play) -> None:
    play.at(0, play.rotate)
    play.at(4, play.reconcile)


def _emergency(kids: Callable[[Play], list[str]], at: float, play: Play) -> None:
    play.at(0, play.rotate)
    play.at(at, lambda: play.emergency(kids))


def _young_standby(play: Play) -> None:
    """An operator wants another key when the next one has only just been published."""
    play.at(0, play.rotate)
    play.at(3, play.supersede)


def _break_glass(play: Play) -> None:
    play.at(0, play.rotate)
    play.at(10, lambda: play.break_glass(active))


def _rollback(play: Play) -> None:
    play.at(0, play.rotate)
    play.at(6, play.roll_back)


def _abandoned(play: Play) -> None:
    """A run that ended in its grace wait leaves its work to reconcile."""
    play.world.plan.states = {**play.world.plan.states, 8: "aborted"}  # WaitForGrace
    play.at(0, play.rotate)
    for at in (20, 70, 120):
        play.at(at, play.reconcile)


def _keyset_lost(play: Play) -> None:
    """The bucket cannot be written either, for longer than an orphan may live."""
    long = play.world.limits.orphan_age.total_seconds() + 60
    since, until = play.begin, play.begin + long + 10
    play.world.plan.outages = (Outage("s3:PutObject", since, until, faults.denied),)
    play.at(1, play.lose_the_keyset)
    for at in (60, 120, long):
        play.at(at, play.reconcile)


def _bootstrap(play: Play) -> None:
    play.at(0, play.rotate)
    play.at(1, play.rotate)


def _cut_off(play: Play) -> None:
    """A client, its subject, its last tokens and the standby go at once; then the client again, by hand."""
    play.at(0, play.rotate)
    play.at(1, lambda: operators.take_back(play, operators.several, kids=standby))
    play.at(20, lambda: operators.take_back(play, operators.the_client, by_hand=True))


def _block(play: Play) -> None:
    """What is cut off while it is blocked stays blocked."""
    play.at(0, lambda: operators.block(play))
    play.at(5, play.rotate)
    play.at(12, lambda: operators.take_back(play, operators.the_client))
    play.at(30, lambda: operators.release(play))


def _block_by_hand(play: Play) -> None:
    """Without Step Functions, and released while the block may still be on its way."""
    play.at(0, lambda: operators.block(play, by_hand=True))
    play.at(0.1 + operators.slack_of(play), lambda: operators.release(play, by_hand=True))
    play.at(40, lambda: operators.release(play))


SCRIPTS: Mapping[str, Callable[[Play], None]] = {
    "bootstrap": _bootstrap,
    "rotation": _rotation,
    "rotation onto a young standby": _young_standby,
    "rollback": _rollback,
    "emergency on the active key": partial(_emergency, active, 0),
    "emergency on the standby in a rotation": partial(_emergency, standby, 0),
    "emergency on the grace key in its wait": partial(_emergency, grace, 9),
    "emergency on every key in a rotation": partial(_emergency, every_key, 3),
    "revocation by hand": _break_glass,
    "cut-offs in a rotation": _cut_off,
    "a block and a release": _block,
    "a block and a release by hand": _block_by_hand,
    "reconcile after an abandoned run": _abandoned,
    "reconcile after the keyset was lost": _keyset_lost,
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong: at the call, or at the state, of this number."""

    at: str  # call, state
    number: int
    kind: str

    def __str__(self) -> str:
        return f"{self.at} {self.number} {self.kind}"


ALONE = ", alone"


def play(name: str, troubles: tuple[Trouble, ...] = (), times: Times = periods.CACHED) -> Play:
    """The whole run of a script with these troubles; raises Broken.

    A name that ends in ALONE is that of the script without adversaries, teams and operators beside it.
    """
    is_alone, name = name.endswith(ALONE), name.removesuffix(ALONE)
    make = Play.founded if name == "bootstrap" else Play.booted
    run = make(times, skew=min(_SKEW, times.clock_skew))
    by_name = {fault.__name__: fault for fault in faults.APPLIES}
    run.world.plan = Plan(
        calls={t.number: by_name[t.kind] for t in troubles if t.at == "call"},
        states={t.number: t.kind for t in troubles if t.at == "state"},
    )
    run.world.kms.tag_lag = 5.0
    SCRIPTS[name](run)
    horizon = 1.2 * times.rotation_period
    run.traffic.every(9, run.begin + horizon, run.traffic.issue)
    run.traffic.every(7, run.begin + horizon, run.traffic.show)
    run.at(times.rotation_period, run.rotate)
    if not is_alone:
        unleash_others(run, name, horizon)
    run.finish()
    return run


def unleash_others(run: Play, seed: str, horizon: float, *, deletes: bool = True) -> None:
    """Let adversaries, teams and operators act for so many seconds; no adversary deletes without `deletes`."""
    adversaries.unleash(run, seed, horizon, deletes=deletes)
    teams.unleash(run, seed, horizon)
    operators.unleash(run, seed, horizon)


def every_trouble(plan: Plan) -> Iterator[Trouble]:
    """Each site that a run went through, with each kind of trouble that it can meet.

    A step that asks the same of AWS over and over (callers do) is troubled the first few times.
    """
    times: Counter[tuple[str, str]] = Counter()
    for number, (label, operation) in enumerate(plan.seen_calls):
        times[label, operation] += 1
        if times[label, operation] > _OFTEN:
            continue
        for fault in faults.kinds(operation):
            yield Trouble("call", number, fault.__name__)
    for number, (kind, _) in enumerate(plan.seen_states):
        for trouble in TROUBLES_OF_A_TASK if kind == "task" else TROUBLES_OF_A_WAIT:
            yield Trouble("state", number, trouble)
