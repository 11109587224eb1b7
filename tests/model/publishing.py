"""PublishJwks: the JWKS is brought to the truth, and what verifiers can see is noted as published.

The S3 write has no bound like ω: it is read at one time and lands at any later one, if the ETag it read
is still that of the object. (actor.py forgets a write whose ETag is gone; explore.py sees to that.)
"""

from collections.abc import Iterator

from tests.model.actor import Actor
from tests.model.atlas import kids_of
from tests.model.changes import Call, Changes, Kind
from tests.model.moves import Move, Step, Way, change_moves
from tests.model.world import State


def publish(way: Way, *, own: bool = False) -> Step:
    """Write the JWKS until it shows the truth, note what is published.

    `own`: the run is about its standby, and is overtaken if that has gone.
    """

    def moves(changes: Changes, s: State, a: Actor) -> Iterator[Move]:
        match a.held:
            case None:
                facts = changes.atlas.facts[s.truth]
                read = a._replace(held=("generation", 0, facts.live, facts.known, 0))
                if changes.atlas.constants.slow_reads:
                    yield Move(("reads the generation",), read)
                else:
                    yield _compare(changes, s, read, way, own=own)
            case ("generation", *_):
                yield _compare(changes, s, a, way, own=own)
            case ("jwks", behind, live, known, over):
                yield _write(s, a, (behind, live, known), over)
            case ("seen", kids):
                yield from _note(changes, s, a, Call("publish", kids))

    return moves


def _compare(changes: Changes, s: State, a: Actor, way: Way, *, own: bool) -> Move:
    """Read the JWKS: it is behind the generation, or shows what is to be noted, or all is done."""
    behind, live, _ = s.jwks
    assert a.held and a.held[0] == "generation"
    _, read, shown, known, _ = a.held
    if behind > read:
        return Move(
            ("reads a JWKS that is behind",), a._replace(held=("jwks", read, shown, known, live))
        )
    kids = tuple(kids_of(live))
    if changes.answer(s.truth, Call("publish", kids), 0).kind is not Kind.SAME:
        return Move(("reads back the JWKS",), a._replace(since=0, held=("seen", kids)))
    if behind:  # the truth has moved since it was read
        return Move(("reads the JWKS again",), a._replace(held=None))
    key = changes.atlas.keysets[s.truth].standby
    if own and not (key and key.kid == a.standby and key.published):
        return Move(("publish", "overtaken"), way.off(a))
    return Move(("publish", "the JWKS shows the truth"), way.on(a))


def _write(s: State, a: Actor, shown: tuple[int, int, int], over: int) -> Move:
    """Put the JWKS in the place of the one that was read."""
    after, kids = a._replace(held=None), kids_of(shown[1])
    if (
        over != s.jwks[1]
    ):  # only where the ETag is one of the keys alone; else it is forgotten earlier
        return Move(("JWKS", kids, "conflict"), after)
    wrong = "S10: the JWKS goes back" if shown[0] > s.jwks[0] else ""
    return Move(("JWKS", kids), after, jwks=shown, wrong=wrong)


def _note(changes: Changes, s: State, a: Actor, call: Call) -> Iterator[Move]:
    """The `published` transition; whatever comes of it, the JWKS is compared again."""
    again = a._replace(since=0, held=None)
    for move in change_moves(changes, s, a, call, again, again):
        refused = move.label[-1] == "refused"
        yield move._replace(wrong="L1: publish is refused") if refused else move
