"""A breadth-first search through the states of a small world that yields its own moves."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tests.model.outcome import Outcome, path_to

S = TypeVar("S")


@dataclass(frozen=True)
class Search(Generic[S]):
    """The result of a search: `trace` leads to what is `wrong`."""

    states: frozenset[S]
    transitions: int
    wrong: str
    trace: tuple[str, ...]


def search(
    first: S,
    moves: Callable[[S], Iterable[tuple[str, S, str]]],
    wrong: Callable[[S], str],
) -> Search[S]:
    """All states from `first`, or up to the first that is wrong. A move can be wrong by itself."""
    origins: dict[S, tuple[S | None, str]] = {first: (None, "")}
    queue, transitions = deque([first]), 0
    while queue:
        state = queue.popleft()
        for label, following, problem in moves(state):
            transitions += 1
            if is_new := following not in origins:
                origins[following] = (state, label)
                queue.append(following)
            if problem := problem or (wrong(following) if is_new else ""):
                trace = (*path_to(origins, state), label, problem)
                return Search(frozenset(origins), transitions, problem, trace)
    return Search(frozenset(origins), transitions, "", ())


def explore(
    name: str,
    scenario: str,
    first: S,
    moves: Callable[[S], Iterable[tuple[str, S, str]]],
    wrong: Callable[[S], str],
    *,
    constants: str,
    actors: tuple[str, ...],
    count_keysets: Callable[[frozenset[S]], int] = lambda _states: 0,
) -> Outcome:
    """The search of a scenario, by its own name or by that of the mutant that is searched in it."""
    began = time.monotonic()
    result = search(first, moves, wrong)
    return Outcome(
        name=name,
        constants=constants,
        actors=actors,
        states=len(result.states),
        transitions=result.transitions,
        keysets=count_keysets(result.states),
        exhausted=not result.wrong,
        wrong=result.wrong,
        trace=result.trace,
        seconds=time.monotonic() - began,
        scenario="" if scenario == name else scenario,
    )
