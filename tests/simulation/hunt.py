"""The hunt for a mutant: runs, until one of them catches it.

`catchers.json` has the number of the run that caught each mutant last; that run is tried first.

    python -m tests.simulation.hunt     hunt for every mutant without it, and write it anew
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pool
from pathlib import Path

from tests.simulation import delays, endurance, periods, scenarios
from tests.simulation import seeds as random_runs
from tests.simulation.mutants.catalogue import DELAY_MUTANTS, LONG_RUN_MUTANTS, MUTANTS
from tests.simulation.patches import simulated
from tests.simulation.play import Play
from tests.simulation.watch.broken import Broken
from tests.simulation.worst_cases import WORST_CASES

_CATCHERS = Path(__file__).with_name("catchers.json")
_SEEDS = 500  # at most
_OUT_OF_DATE = ("AttributeError", "TypeError")  # of a mutant that no longer fits the product
BY_NAME = {mutant.__name__: mutant for mutant in (*LONG_RUN_MUTANTS, *MUTANTS, *DELAY_MUTANTS)}


@dataclass(frozen=True, slots=True)
class Hunt:
    """The end of a hunt: `broken` says what the mutant broke in `run`; None for a mutant that survives."""

    mutant: str
    run: int | None
    broken: str

    @property
    def is_caught(self) -> bool:
        """Whether it broke an invariant, and not merely itself."""
        return self.run is not None and not any(kind in self.broken for kind in _OUT_OF_DATE)

    def __str__(self) -> str:
        return f"{self.mutant}: {self.broken} (run {self.run})"


def read_catchers() -> Mapping[str, int]:
    """The number of the run to try first, by the mutant's name."""
    catchers: Mapping[str, int] = json.loads(_CATCHERS.read_text())
    return catchers


def hunt(name: str, first: int = 0) -> Hunt:
    """Play the run number `first`, then all in their order, until the mutant is caught."""
    runs = sorted(enumerate(_runs(name)), key=lambda run: run[0] != first)
    with simulated(), BY_NAME[name]():
        for number, play in runs:
            try:
                play()
            except (AssertionError, Broken) as broken:
                return Hunt(name, number, str(broken))
            except Exception as error:
                return Hunt(name, None, repr(error))
    return Hunt(name, None, "survives")


def _runs(name: str) -> Iterator[Callable[[], Play]]:
    """Runs in which the mutant may show: those of its kind; or worst cases, quiet scripts and seeds."""
    if BY_NAME[name] in LONG_RUN_MUTANTS:
        yield from endurance.plays()
    elif BY_NAME[name] in DELAY_MUTANTS:
        yield from delays.plays()
    else:
        yield from (case.play for case in WORST_CASES.values())
        for script in scenarios.SCRIPTS:
            for times in periods.ALL:
                yield partial(scenarios.play, script, (), times)
        for seed in range(_SEEDS):
            yield partial(random_runs.play, seed)


def main() -> int:
    """Hunt for every mutant from the first run on; returns the exit status."""
    with Pool() as pool:
        hunts = sorted(pool.imap_unordered(hunt, BY_NAME), key=lambda one: one.mutant)
    print(*hunts, sep="\n")
    catchers = {one.mutant: one.run for one in hunts if one.run is not None}
    _CATCHERS.write_text(json.dumps(catchers, indent=1) + "\n")
    return 0 if all(one.is_caught for one in hunts) else 1


if __name__ == "__main__":
    sys.exit(main())
