"""The parts of a simulation, each spread over the machine's cores."""

import os
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations, islice
from multiprocessing import get_context
from random import Random
from typing import Any

from tests.cloud.material import key_material
from tests.simulation import delays, endurance, periods, scenarios
from tests.simulation import seeds as random_runs
from tests.simulation.mutants.catalogue import DELAY_MUTANTS, LONG_RUN_MUTANTS, MUTANTS
from tests.simulation.patches import simulated
from tests.simulation.play import Play
from tests.simulation.scenarios import Trouble
from tests.simulation.watch.broken import Broken
from tests.simulation.worst_cases import WORST_CASES

_HUNT = 500  # seeds, at most, to catch a mutant
_READY_KEYS = 24
_OUT_OF_DATE = ("AttributeError", "TypeError")  # of a mutant that no longer fits the product
_BY_NAME = {mutant.__name__: mutant for mutant in (*LONG_RUN_MUTANTS, *MUTANTS, *DELAY_MUTANTS)}
Job = tuple[str, tuple[Trouble, ...]]  # a script and what goes wrong in it


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one run; `note` is for people."""

    good: bool
    calls: int
    note: str


@dataclass
class Part:
    """The outcome of one part; each failure says how to repeat it."""

    name: str
    passed: int = 0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    calls: int = 0
    seconds: float = 0.0

    @property
    def failed(self) -> int:
        """How many runs failed."""
        return len(self.failures)

    def report(self) -> dict[str, Any]:
        """For build/simulate.json."""
        return {**self.__dict__, "seconds": round(self.seconds, 1)}

    def __str__(self) -> str:
        return f"{self.passed + self.failed:,} {self.name}"


def mutants() -> Part:
    """Each deliberate fault in the product must break some script or seed."""
    return _spread("mutants of the product caught", list(_BY_NAME), _hunt, chunk=1)


def worst_cases() -> Part:
    """What the margins are for, with the product as it is."""
    return _spread("worst cases", list(WORST_CASES), _worst_case, chunk=1)


def late_aws() -> Part:
    """AWS as late as it may be."""
    return _spread("runs with AWS late", list(delays.RUNS), _late)


def long_runs() -> Part:
    """Months and years."""
    return _spread("long runs", list(endurance.RUNS), _long_run, chunk=1)


def single_troubles() -> Part:
    """Every script alone, with every kind of trouble at every site, one at a time."""
    return _spread("single troubles", list(_single_troubles(scenarios.ALONE)), _script)


def troubles_among_others(most: int | None) -> Part:
    """The same beside adversaries, teams and operators: so many, or all."""
    jobs = list(_single_troubles())
    share = jobs if most is None else Random(most).sample(jobs, most)
    return _spread("single troubles among others", share, _script)


def pairs(most: int | None) -> Part:
    """Two troubles in one run: so many of them, or all."""
    jobs: list[Job] = []
    for name, troubles in _sites():
        if most is None:
            jobs += [(name, pair) for pair in combinations(troubles, 2)]
        else:
            choose = Random(name)
            share = range(most // len(scenarios.SCRIPTS))
            jobs += [(name, tuple(choose.sample(troubles, 2))) for _ in share]
    return _spread("pairs of troubles", jobs, _script)


def seeds(count: int) -> Part:
    """The first so many seeds."""
    return _spread("seeds", list(range(count)), _seed)


def _single_troubles(manner: str = "") -> Iterator[Job]:
    return ((name, (trouble,)) for name, troubles in _sites(manner) for trouble in troubles)


def _sites(manner: str = "") -> Iterator[tuple[str, list[Trouble]]]:
    with simulated():
        for script in scenarios.SCRIPTS:
            name = script + manner
            yield name, list(scenarios.every_trouble(scenarios.play(name).world.plan))


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
    with simulated(), _BY_NAME[name]():
        for number, play in enumerate(_prey(name)):
            try:
                play()
            except (AssertionError, Broken) as broken:
                is_stale = any(kind in str(broken) for kind in _OUT_OF_DATE)
                return Result(not is_stale, 0, f"{name}: {broken} (run {number})")
            except Exception as error:
                return Result(False, 0, f"{name}: {error!r}")
    return Result(False, 0, f"{name}: survives")


def _prey(name: str) -> Iterator[Callable[[], Play]]:
    """Runs in which the mutant may show: those of its kind; or worst cases, quiet scripts and seeds."""
    if _BY_NAME[name] in LONG_RUN_MUTANTS:
        yield from endurance.plays()
    elif _BY_NAME[name] in DELAY_MUTANTS:
        yield from delays.plays()
    else:
        yield from (case.play for case in WORST_CASES.values())
        for script in scenarios.SCRIPTS:
            for times in periods.ALL:
                yield partial(scenarios.play, script, (), times)
        for seed in range(_HUNT):
            yield partial(random_runs.play, seed)


def _spread(name: str, jobs: list[Any], work: Callable[[Any], Result], chunk: int = 20) -> Part:
    """Do the jobs on every core; a worker is replaced now and then, for the memory that it uses up."""
    part, began = Part(name), time.monotonic()
    print(f"{name}: {len(jobs):,} to go", flush=True)
    for _ in islice(key_material(), _READY_KEYS):
        pass  # RSA keys are made once, for all workers
    with get_context("fork").Pool(os.cpu_count(), maxtasksperchild=20) as pool:
        for result in pool.imap_unordered(work, jobs, chunksize=chunk):
            part.calls += result.calls
            if result.good:
                part.passed += 1
                part.notes += [result.note] if result.note else []
            else:
                part.failures.append(result.note)
            if result.note:
                print(f"  {'' if result.good else 'FAILED '}{result.note}", flush=True)
    part.seconds = time.monotonic() - began
    return part
