"""Breadth first through every state, so that the first violation found is a shortest one.

The world follows from the changes alone, and what an actor can do depends on the world and on where it
stands itself. So worlds and actors are numbered, what follows from each pair is worked out once, and a
state is a handful of small numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from tests.model.actors import Run
from tests.model.atlas import Atlas
from tests.model.changes import Changes
from tests.model.constants import Constants
from tests.model.moves import Label
from tests.model.properties import Properties
from tests.model.recovery import Recovery
from tests.model.world import State, World

if TYPE_CHECKING:
    from tests.model.actor import Actor

Numbers = tuple[int, ...]  # the world's, then each actor's
_T = TypeVar("_T")


class Numbered(Generic[_T]):
    """A number for each thing, the same for equal ones."""

    def __init__(self) -> None:
        self.things: list[_T] = []
        self._numbers: dict[_T, int] = {}

    def __call__(self, thing: _T) -> int:
        """The number of `thing`."""
        number = self._numbers.setdefault(thing, len(self.things))
        if number == len(self.things):
            self.things.append(thing)
        return number


class Next(NamedTuple):
    """The result of a move: the world, the actor that made it, and its effect on the others."""

    world: int
    actor: int
    others: int  # an index of Explorer.others
    label: Label
    wrong: str


@dataclass
class Exploration:
    """The result of an exploration; `path` leads to what is `wrong`."""

    states: int = 0
    transitions: int = 0
    exhausted: bool = False
    wrong: str = ""
    path: list[tuple[Label, State]] = field(default_factory=list)


class Explorer:
    """The product of a world with its actors."""

    def __init__(self, constants: Constants, runs: tuple[Run, ...], most: int = 6_000_000) -> None:
        self.constants = constants
        self.runs = runs
        self.most = most
        self.atlas = Atlas(constants)
        self.changes = Changes(self.atlas)
        self.world = World(self.atlas)
        self.properties = Properties(self.atlas)
        self.recovery = Recovery(self.world, self.changes)
        self.worlds: Numbered[State] = Numbered()
        self.actors: Numbered[Actor] = Numbered()
        self.others: tuple[dict[int, int], ...] = ({}, {}, {})  # untouched, behind, refused
        self._later: dict[int, int] = {}
        self._older: dict[int, int] = {}
        self._moves: dict[tuple[int, int, int], tuple[Next, ...]] = {}
        self._wrong: list[str] = []

    def explore(self, start: State) -> Exploration:
        """Explore from `start` until every state is known, one violates a property, or there are too many."""
        exploration = Exploration()
        first = (
            self.worlds(start),
            *(self.actors(run.settled(run.start, self.constants)) for run in self.runs),
        )
        came_from = {first: first}
        wave = [first]
        while wave and len(came_from) <= self.most and not exploration.wrong:
            following: list[Numbers] = []
            for state in wave:
                for after, label, wrong in self.following(state):
                    exploration.transitions += 1
                    if after not in came_from:
                        came_from[after] = state
                        following.append(after)
                        wrong = self.wrong(after[0]) or wrong
                    if wrong:
                        end = label, self.worlds.things[after[0]]
                        exploration.wrong = wrong
                        exploration.path = [*self._path(came_from, state), end]
                        break
                if exploration.wrong:
                    break
            wave = following
        exploration.states = len(came_from)
        exploration.exhausted = not wave and not exploration.wrong
        return exploration

    def following(self, state: Numbers) -> Iterator[tuple[Numbers, Label, str]]:
        """Every state that can follow: a second passes, or one actor makes a move."""
        world = state[0]
        older = self._older
        try:
            yield (self._later[world], *[older[a] for a in state[1:]]), ("tick",), ""
        except KeyError:
            self._age(state)
            yield (self._later[world], *[older[a] for a in state[1:]]), ("tick",), ""
        for index in range(1, len(state)):
            key = world, index, state[index]
            moves = self._moves.get(key)
            if moves is None:
                moves = self._moves[key] = tuple(self._compute(*key))
            for move in moves:
                after = list(state)
                if move.others:
                    after[1:] = self._touched(move.others, state[1:])
                after[0], after[index] = move.world, move.actor
                yield tuple(after), move.label, move.wrong

    def wrong(self, world: int) -> str:
        """The violation in this world, computed once."""
        while len(self._wrong) <= world:
            state = self.worlds.things[len(self._wrong)]
            self._wrong.append(self.properties.wrong(state) or self.recovery.wrong(state))
        return self._wrong[world]

    def _age(self, state: Numbers) -> None:
        c = self.constants
        self._later[state[0]] = self.worlds(self.world.later(self.worlds.things[state[0]]))
        for a in state[1:]:
            self._older[a] = self.actors(self.actors.things[a].older(c.patience, c.cut_memory))

    def _touched(self, how: int, actors: Numbers) -> list[int]:
        known = self.others[how]
        for a in actors:
            if a not in known:
                actor = self.actors.things[a]
                known[a] = self.actors(actor.behind() if how == 1 else actor.refused())
        return [known[a] for a in actors]

    def _compute(self, world: int, index: int, number: int) -> Iterator[Next]:
        s, actor, run = self.worlds.things[world], self.actors.things[number], self.runs[index - 1]
        if actor.step < 0:
            return
        for move in run.steps[actor.step](self.changes, s, actor):
            moved, others = s, 0
            if move.truth >= 0:
                moved, others = self.world.created(s, move.truth), 1
            elif move.jwks is not None:
                moved = self.world.written(s, move.jwks)
                others = 0 if self.constants.etag_of_keys else 2
            if move.cut:
                moved = self.world.cut(moved, run.name, move.cut)
            label = (run.name, *move.label)
            after = run.settled(move.actor, self.constants)
            yield Next(self.worlds(moved), self.actors(after), others, label, move.wrong)

    def _path(
        self, came_from: dict[Numbers, Numbers], last: Numbers
    ) -> Iterator[tuple[Label, State]]:
        states = [last]
        while came_from[states[-1]] != states[-1]:
            states.append(came_from[states[-1]])
        states.reverse()
        for before, after in pairwise(states):
            label = next(label for state, label, _ in self.following(before) if state == after)
            yield label, self.worlds.things[after[0]]
