"""The exploration of the keyset protocol, and its mutants."""

import gc
import os
import time

from tests.model import (
    cut_mutants,
    cut_scenarios,
    report,
    rule_mutants,
    scenarios,
    table_mutants,
)
from tests.model.mutants import Mutant
from tests.model.outcome import Outcome
from tests.model.scenarios import Scenario

FULL = os.environ.get("FULL") == "1"
_LARGE = (*scenarios.LARGE, *cut_scenarios.LARGE) if FULL else ()
SCENARIOS = {s.name: s for s in (*scenarios.ALL, *cut_scenarios.CUTS, *_LARGE)}
MUTANTS = {
    mutant.name: mutant
    for mutants in (
        table_mutants.TABLE,
        table_mutants.VERIFIES,
        rule_mutants.TRANSITIONS,
        rule_mutants.TIMING,
        rule_mutants.PLANNING,
        rule_mutants.DESIGN,
        cut_mutants.CUTS,
    )
    for mutant in mutants
}


def explored(scenario: Scenario, mutant: Mutant | None = None) -> Outcome:
    """One exploration. Nothing in it is a cycle, so it is faster without the garbage collector."""
    began = time.monotonic()
    gc.disable()
    constants = mutant.constants(scenario.constants) if mutant else scenario.constants
    with constants.short_margins():
        explorer, result = scenario.explorer(constants)
    return Outcome(
        name=mutant.name if mutant else scenario.name,
        constants=str(constants),
        actors=tuple(run.name for run in scenario.runs),
        states=result.states,
        transitions=result.transitions,
        keysets=len(explorer.atlas.keysets),
        exhausted=result.exhausted,
        wrong=result.wrong,
        trace=tuple(report.trace(explorer, result)) if result.wrong else (),
        seconds=time.monotonic() - began,
        scenario=scenario.name if mutant else "",
        equivalent=mutant.equivalent if mutant else "",
    )


def of_scenario(name: str) -> Outcome:
    """The product as it is."""
    return explored(SCENARIOS[name])


def of_mutant(name: str) -> Outcome:
    """The product without one of its guards or terms."""
    mutant = MUTANTS[name]
    with mutant.applied():
        return explored(SCENARIOS[mutant.scenario], mutant)
