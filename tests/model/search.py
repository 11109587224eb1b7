"""Breadth first through the states of a small world that says itself what may follow."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from tests.model.outcome import path_to

S = TypeVar("S")


@dataclass(frozen=True)
class Search(Generic[S]):
    """What was found: `trace` leads to what is `wrong`."""

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
        for says, following, problem in moves(state):
            transitions += 1
            if is_new := following not in origins:
                origins[following] = (state, says)
                queue.append(following)
            if problem := problem or (wrong(following) if is_new else ""):
                trace = (*path_to(origins, state), says, problem)
                return Search(frozenset(origins), transitions, problem, trace)
    return Search(frozenset(origins), transitions, "", ())
