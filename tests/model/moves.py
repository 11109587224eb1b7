"""What one actor can do in one go: a change of the keyset lands, or is refused.

A change of the keyset counts only if the generation it was computed from is still the highest when it
lands. So one move says it all: it lands now, computed by a clock that was read up to ω ago (not before
the step began, nor before that generation existed) on a machine whose clock is up to `skew` ahead. Every
delay within ω, every late zombie, every pair of different clocks is one of these; what would land later,
or on another generation, changes nothing. After each landing the run may get the reply or not: a lost
reply, a crash with a later retry and a step that Lambda runs twice all leave the actor where it was.
An actor may also wait at any point for as long as it likes: that is a crash, or a slow machine.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.model.actor import Actor
from tests.model.changes import Answer, Call, Changes, Kind
from tests.model.world import Cutting, Jwks, State

Label = tuple[str, ...]


class Move(NamedTuple):
    """One thing an actor can do; what is written, if anything, lands with it."""

    label: Label
    actor: Actor
    truth: int = -1
    jwks: Jwks | None = None
    wrong: str = ""
    cut: Cutting | None = None  # what becomes of a cut-off with it


Step = Callable[[Changes, State, Actor], Iterator[Move]]


class Way(NamedTuple):
    """Where a step leads: when it is done, and when it is refused. -1 ends the run."""

    done: int
    refused: int = -1

    def on(self, actor: Actor) -> Actor:
        """The actor at the following step."""
        return actor._replace(step=self.done, since=0, held=None)

    def off(self, actor: Actor) -> Actor:
        """The actor where a refused step leads."""
        return actor._replace(step=self.refused, since=0, held=None)


def answers(changes: Changes, s: State, a: Actor, call: Call) -> Iterator[tuple[int, Answer]]:
    """What the product can answer now, once each, with the reading of the clock."""
    known = set()
    for clock in range(
        -min(a.since, s.age, changes.atlas.constants.omega), changes.atlas.constants.skew + 1
    ):
        answer = changes.answer(s.truth, call, clock)
        if answer not in known:
            known.add(answer)
            yield clock, answer


def change_moves(
    changes: Changes, s: State, a: Actor, call: Call, then: Actor, off: Actor
) -> Iterator[Move]:
    """The moves of a step that makes one change."""
    label = call.name, ",".join(call.kids)
    for clock, answer in answers(changes, s, a, call):
        by = f"clock {clock:+d}"
        match answer.kind:
            case Kind.WRITE:
                yield Move((*label, by), then, truth=answer.number, wrong=answer.wrong)
                again = a._replace(since=0)
                if again != then:
                    lost = "the reply is lost"
                    yield Move((*label, by, lost), again, truth=answer.number, wrong=answer.wrong)
            case Kind.SAME:
                yield Move((*label, "is so already"), then, wrong=answer.wrong)
            case Kind.REFUSED:
                yield Move((*label, by, "refused"), off)
            case Kind.FAULT if answer.wrong:
                yield Move((*label, by), a, wrong=answer.wrong)
