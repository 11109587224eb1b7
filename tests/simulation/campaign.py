"""The parts of a simulation, spread over the machine's cores."""

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import combinations, islice
from multiprocessing import get_context
from random import Random
from typing import Any

from tests.cloud.material import key_material
from tests.simulation import delays, endurance, hunt, scenarios
from tests.simulation import seeds as random_runs
from tests.simulation.patches import simulated
from tests.simulation.play import Play
from tests.simulation.scenarios import Trouble
from tests.simulation.watch.broken import Broken
from tests.simulation.worst_cases import WORST_CASES

_READY_KEYS = 24
_RUNS_OF_A_WORKER = 400  # it is replaced then, for the memory that it uses up
Job = tuple[str, tuple[Trouble, ...]]  # a script and what goes wrong in it


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one run; `note` is for people."""

    good: bool
    calls: int
    note: str


@dataclass
class Part:
    """What is played, and what came of it; each failure says how to repeat it."""

    name: str
    work: Callable[[Any], Result]
    jobs: Sequence[Any]
    passed: int = 0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    calls: int = 0

    @property
    def failed(self) -> int:
        """How many runs failed."""
        return len(self.failures)

    def add(self, result: Result) -> None:
        """Count a run, and print its note; with the last one, print the part's own line."""
        self.calls += result.calls
        if not result.good:
            self.failures.append(result.note)
        else:
            self.passed += 1
            self.notes += [result.note] if result.note else []
        if result.note:
            print(f"  {'' if result.good else 'FAILED '}{result.note}", flush=True)
        if self.passed + self.failed == len(self.jobs):
            print(f"{self}: {self.passed:,} passed, {self.failed:,} failed", flush=True)

    def report(self) -> dict[str, Any]:
        """For build/simulate.json."""
        names = ("name", "passed", "failures", "notes", "calls")
        return {name: getattr(self, name) for name in names}

    def __str__(self) -> str:
        return f"{len(self.jobs):,} {self.name}"


def parts(singles: int | None, among: int | None, pairs: int | None, seeds: int) -> list[Part]:
    """So many single troubles, the same among others, pairs of them, and seeds; None is all.

    The single jobs that take longest come first, so that no core waits for them at the end.
    """
    return [
        Part("long runs", _long_run, list(endurance.RUNS)),  # months and years
        Part("mutants of the product caught", _hunt, list(hunt.BY_NAME)),
        Part("worst cases", _worst_case, list(WORST_CASES)),  # what the margins are for
        Part("runs with AWS late", _late, list(delays.RUNS)),
        Part("single troubles", _script, _singles(singles, scenarios.ALONE)),
        Part("single troubles among others", _script, _singles(among)),
        Part("pairs of troubles", _script, _pairs(pairs)),
        Part("seeds", _seed, range(seeds)),
    ]


def play(parts: Sequence[Part]) -> None:
    """Do all jobs on every core."""
    for _ in islice(key_material(), _READY_KEYS):
        pass  # RSA keys are made once, for all workers
    jobs = [(number, part.work, job) for number, part in enumerate(parts) for job in part.jobs]
    with get_context("fork").Pool(os.cpu_count(), maxtasksperchild=_RUNS_OF_A_WORKER) as pool:
        for number, result in pool.imap_unordered(_work, jobs):
            parts[number].add(result)


def _work(job: tuple[int, Callable[[Any], Result], Any]) -> tuple[int, Result]:
    number, work, what = job
    return number, work(what)


def _singles(most: int | None, manner: str = "") -> list[Job]:
    """One trouble in a run; so many, the same every time, or all."""
    jobs: list[Job] = [(name, (one,)) for name, troubles in _sites(manner) for one in troubles]
    return jobs if most is None else Random(most).sample(jobs, most)


def _pairs(most: int | None) -> list[Job]:
    """Two troubles in one run."""
    jobs: list[Job] = []
    for name, troubles in _sites(""):
        if most is None:
            jobs += [(name, pair) for pair in combinations(troubles, 2)]
        else:
            choose = Random(name)
            share = range(most // len(scenarios.SCRIPTS))
            jobs += [(name, tuple(choose.sample(troubles, 2))) for _ in share]
    return jobs


@cache
def _sites(manner: str) -> list[tuple[str, list[Trouble]]]:
    with simulated():
        names = [script + manner for script in scenarios.SCRIPTS]
        return [
            (name, list(scenarios.every_trouble(scenarios.play(name).world.plan))) for name in names
        ]


def _worst_case(name: str) -> Result:
    return _result(WORST_CASES[name].play, name)


def _late(name: str) -> Result:
    return _result(delays.RUNS[name], name)


def _long_run(name: str) -> Result:
    extremes: list[endurance.Extremes] = []

    def play() -> Play:
        run = endurance.RUNS[name]()
        extremes.append(run.extremes)
        return run.play

    result = _result(play, name)
    return replace(result, note=f"{name}: {extremes[0]}") if extremes else result


def _script(job: Job) -> Result:
    name, troubles = job
    return _result(partial(scenarios.play, name, troubles), name, *map(str, troubles))


def _seed(seed: int) -> Result:
    return _result(partial(random_runs.play, seed), str(seed))


def _result(play: Callable[[], Play], *arguments: str) -> Result:
    """Of a run that these arguments of `python -m tests.simulation` repeat."""
    with simulated():
        try:
            run = play()
        except (Exception, Broken) as error:
            kind = "" if isinstance(error, AssertionError | Broken) else f"{type(error).__name__} "
            again = f"python -m tests.simulation {shlex.join(arguments)}"
            return Result(False, 0, f"{kind}{error}   {again}")
    return Result(True, len(run.world.plan.seen_calls), "")


def _hunt(name: str) -> Result:
    """Play until the mutant is caught."""
    result = hunt.hunt(name, hunt.read_catchers().get(name, 0))
    return Result(result.is_caught, 0, str(result))
