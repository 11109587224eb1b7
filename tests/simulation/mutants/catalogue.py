"""Deliberate faults in the product, each of which the simulator must catch through the handlers.

They are what the design says was tried and broke.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any

from tests.simulation.mutants import (
    apis,
    clients,
    cutoffs,
    delays,
    events,
    history,
    keys,
    lineage,
    long_run,
    memory,
    orphans,
    steps,
    views,
    waits,
    writes,
)
from tests.simulation.mutants.patching import Mutant


def _defined_in(*modules: ModuleType) -> tuple[Callable[[], AbstractContextManager[Any]], ...]:
    values = [value for module in modules for value in vars(module).values()]
    return tuple(value for value in values if isinstance(value, Mutant))


MUTANTS = _defined_in(
    writes,
    waits,
    steps,
    views,
    apis,
    clients,
    cutoffs,
    orphans,
    memory,
    lineage,
    history,
    keys,
    events,
)
DELAY_MUTANTS = _defined_in(delays)
LONG_RUN_MUTANTS = _defined_in(long_run)
