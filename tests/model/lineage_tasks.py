"""The exploration of tests/model/lineage.py, and its mutants."""

from collections.abc import Mapping
from functools import cache, partial
from unittest.mock import patch

from keyturn.keyset import lineage as product
from keyturn.keyset.errors import DocumentInvalid
from keyturn.keyset.lineage import HIGHEST, Lineage
from keyturn.keyset.succession import find_violation
from tests.model import lineage
from tests.model.lineage import Rules, Store
from tests.model.outcome import Outcome
from tests.model.search import explore

RULES = Rules(lineage.trace, lineage.prune)
_SIZES = {"lineage, two forgeries": (2, 1), "lineage, one forgery, pruned twice": (1, 2)}
SCENARIOS: Mapping[str, tuple[int, int]] = _SIZES
_ATTACK = "lineage, two forgeries"


@cache
def _lowest_root(store: Store) -> Lineage | None:
    parameters = lineage._parameters(store)
    for number in sorted(parameters):
        try:
            root = product._read(parameters[number])
        except DocumentInvalid:
            continue
        return Lineage.from_generation(root).extend(parameters)
    return None


@cache
def _over_gaps(store: Store) -> Lineage | None:
    """A free name is no end: whatever names its parent follows, however far above."""
    chosen = lineage.trace(store)
    parameters = lineage._parameters(store)
    while chosen:
        above = [number for number in parameters if number > chosen.next_number]
        further = next(
            (
                longer
                for number in sorted(above)
                if len((longer := Lineage(chosen.chain, number, {}).extend(parameters)).chain)
                > len(chosen.chain)
            ),
            None,
        )
        if further is None:
            break
        chosen = further
    return chosen


@cache
def _highest(store: Store) -> Lineage | None:
    parameters = lineage._parameters(store)
    for number in sorted(parameters, reverse=True):
        try:
            return Lineage.from_generation(product._read(parameters[number]))
        except DocumentInvalid:
            continue
    return None


@cache
def _never_over(store: Store) -> Lineage | None:
    chosen = lineage.trace(store)
    return chosen and Lineage(chosen.chain, chosen.head.number + 1, {})


MUTANTS: Mapping[str, tuple[str, Rules]] = {
    "lineage: the lowest number is the root": (_ATTACK, RULES._replace(trace=_lowest_root)),
    "lineage: the highest number counts": (_ATTACK, RULES._replace(trace=_highest)),
    "lineage: a free name is no end": (_ATTACK, RULES._replace(trace=_over_gaps)),
    "lineage: nothing is stepped over": (_ATTACK, RULES._replace(trace=_never_over)),
    "lineage: pruned whatever stands above": (
        _ATTACK,
        RULES._replace(prune=partial(lineage.prune, by_date=False)),
    ),
    "lineage: whatever names its parent follows": (_ATTACK, RULES),
    "lineage: a write is not read back": (_ATTACK, RULES._replace(reads_back=False)),
}


def _no_objection(_before: object, _after: object) -> None:
    return None


def of_scenario(name: str) -> Outcome:
    """The product as it is."""
    return _explored(name, name, RULES)


def of_mutant(name: str) -> Outcome:
    """The product without one of its rules."""
    scenario, rules = MUTANTS[name]
    is_lax = name.endswith("names its parent follows")
    lineage.trace.cache_clear()
    with patch.object(product, "find_violation", _no_objection if is_lax else find_violation):
        outcome = _explored(name, scenario, rules)
    lineage.trace.cache_clear()
    return outcome


def _explored(name: str, scenario: str, rules: Rules) -> Outcome:
    plants, prunings = SCENARIOS[scenario]
    return explore(
        name,
        scenario,
        lineage.start(plants, prunings),
        lambda state: ((label, after, "") for label, after in lineage.moves(rules, state)),
        partial(lineage.wrong, rules),
        constants=f"{plants} forgeries, {prunings} prunings, numbers below {HIGHEST + 1}",
        actors=("writer", "writer", "adversary", "pruning"),
    )
