"""The parts of a simulation, each spread over the machine's cores."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations, islice
from multiprocessing import get_context
from random import Random
from typing import Any

from tests.cloud.material import key_material
from tests.simulation import delays, endurance, periods, scenarios
from tests.simulation import seeds as random_runs
from tests.simulation.mutants.catalogue import DELAY_MUTANTS, LONG_RUN_MUTANTS, MUTANTS, Mutant
from tests.simulation.patches import simulated
from tests.simulation.play import Play
from tests.simulation.scenarios import Trouble
from tests.simulation.watch.broken import Broken
from tests.simulation.worst_cases import WORST_CASES

_HUNT = 500  # seeds, at most, to catch a mutant
_READY_KEYS = 24
_OUT_OF_DATE = ("AttributeError", "TypeError")  # of a mutant that no longer fits the product


@dataclass(frozen=True, slots=True)
class Result:
    """What one run came to; what is said is said to people."""

    good: bool
    calls: int
    said: str


@dataclass
class Part:
    """What one part came to; each failure says how to run it again."""

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
    everyone = (*LONG_RUN_MUTANTS, *MUTANTS, *DELAY_MUTANTS)
    return _spread("mutants of the product caught", list(enumerate(everyone)), _hunt, chunk=1)


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
    sites = _sites(scenarios.ALONE)
    jobs = [(name, (trouble,)) for name, troubles in sites for trouble in troubles]
    return _spread("single troubles", jobs, _script)


def troubles_among_others(most: int | None) -> Part:
    """The same beside adversaries, teams and operators: so many, or all."""
    jobs = [(name, (trouble,)) for name, troubles in _sites() for trouble in troubles]
    share = jobs if most is None else Random(most).sample(jobs, most)
    return _spread("single troubles among others", share, _script)


def pairs(most: int | None) -> Part:
    """Two troubles in one run: so many of them, or all."""
    jobs: list[tuple[str, tuple[Trouble, ...]]] = []
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


def _sites(manner: str = "") -> Iterator[tuple[str, list[Trouble]]]:
    with simulated():
        for script in scenarios.SCRIPTS:
            name = script + manner
            yield name, list(scenarios.every_trouble(scenarios.play(name).world.plan))


def _worst_case(name: str) -> Result:
    with simulated():
        return _result(WORST_CASES[name].play, repr(name))


def _late(name: str) -> Result:
    with simulated():
        return _result(delays.RUNS[name], repr(name))


def _long_run(name: str) -> Result:
    with simulated():
        try:
            run = endurance.RUNS[name]()
        except (Exception, Broken) as error:
            return Result(False, 0, f"{error!r}   python -m tests.simulation {name!r}")
    return Result(True, len(run.play.world.plan.seen_calls), f"{name}: {run.extremes}")


def _script(job: tuple[str, tuple[Trouble, ...]]) -> Result:
    name, troubles = job
    with simulated():
        how = " ".join(repr(str(word)) for word in (name, *troubles))
        return _result(lambda: scenarios.play(name, troubles), how)


def _seed(seed: int) -> Result:
    with simulated():
        return _result(lambda: random_runs.play(seed), str(seed))


def _hunt(job: tuple[int, Mutant]) -> Result:
    """Play until the mutant is caught: the worst cases, quiet scripts, seeds."""
    mutant = job[1]
    name = mutant.__name__
    with simulated(), mutant():
        prey = _prey_of(mutant)
        for number, play in enumerate(prey):
            try:
                play()
            except (AssertionError, Broken) as broken:
                is_stale = any(kind in str(broken) for kind in _OUT_OF_DATE)
                return Result(not is_stale, 0, f"{name}: {broken} (run {number})")
            except Exception as error:
                return Result(False, 0, f"{name}: {error!r}")
    return Result(False, 0, f"{name}: survives")


def _prey_of(mutant: Mutant) -> Iterator[Callable[[], Play]]:
    if mutant in LONG_RUN_MUTANTS:
        return endurance.plays()
    return delays.plays() if mutant in DELAY_MUTANTS else _prey()


def _prey() -> Iterator[Callable[[], Play]]:
    yield from (case.play for case in WORST_CASES.values())
    for name in scenarios.SCRIPTS:
        for times in periods.ALL:
            yield partial(scenarios.play, name, (), times)
    for seed in range(_HUNT):
        yield partial(random_runs.play, seed)


def _result(play: Callable[[], Play], how: str) -> Result:
    try:
        run = play()
    except (Exception, Broken) as error:
        kind = "" if isinstance(error, AssertionError | Broken) else f"{type(error).__name__} "
        return Result(False, 0, f"{kind}{error}   python -m tests.simulation {how}")
    return Result(True, len(run.world.plan.seen_calls), "")


def _spread(name: str, jobs: list[Any], work: Callable[[Any], Result], chunk: int = 20) -> Part:
    """Do the jobs on every core; a worker is replaced now and then, for what it has piled up."""
    part, began = Part(name), time.monotonic()
    print(f"{name}: {len(jobs):,} to go", flush=True)
    _make_keys()
    with get_context("fork").Pool(os.cpu_count(), maxtasksperchild=20) as pool:
        for result in pool.imap_unordered(work, jobs, chunksize=chunk):
            part.calls += result.calls
            if result.good:
                part.passed += 1
                part.notes += [result.said] if result.said else []
            else:
                part.failures.append(result.said)
            if result.said:
                print(f"  {'' if result.good else 'FAILED '}{result.said}", flush=True)
    part.seconds = time.monotonic() - began
    return part


def _make_keys() -> None:
    """Make RSA keys once, for all workers."""
    for _ in islice(key_material(), _READY_KEYS):
        pass
