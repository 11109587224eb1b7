"""L1: once faults have ended, one reconcile repairs whatever state the runs left.

This is checked in every state, not only in the last ones: any run may die at any point, so every state is one in
which all runs are dead. Their pending writes are covered: had one landed, that is another state, and an
S3 write of theirs either lands before reconcile's or is refused by its ETag.
"""

from tests.model.actors import reconcile
from tests.model.changes import Changes
from tests.model.moves import Move
from tests.model.world import Jwks, State, World

_ENOUGH = 100  # moves, and seconds


class Recovery:
    """The question, with its answers remembered: they depend on the keyset and the JWKS alone."""

    def __init__(self, world: World, changes: Changes) -> None:
        self.world = world
        self.changes = changes
        self._answers: dict[tuple[int, Jwks], str] = {}

    def wrong(self, s: State) -> str:
        """The violation that an undisturbed reconcile cannot repair."""
        question = s.truth, s.jwks
        if question not in self._answers:
            self._answers[question] = self._after_reconcile(s)
        return self._answers[question]

    def _after_reconcile(self, s: State) -> str:
        run = reconcile(spare=2)
        actor = run.start
        state = s._replace(views=(), caches=(), tokens=(), revocations=(), activated_alone=0)
        for _ in range(_ENOUGH):
            later = self.world.later(state)
            if later.truth == state.truth:
                break
            state = later
        for _ in range(_ENOUGH):
            if actor.step < 0:
                return self._violation(state)
            move = next(run.steps[actor.step](self.changes, state, actor), None)
            if move is None:
                state = self.world.later(state)
            else:
                actor = run.settled(move.actor, self.world.atlas.constants)
                state = self._after(state, move)
        return "L1: reconcile does not come to an end"

    def _after(self, s: State, move: Move) -> State:
        if move.truth >= 0:
            return self.world.created(s, move.truth)
        return s if move.jwks is None else self.world.written(s, move.jwks)

    def _violation(self, s: State) -> str:
        facts = self.world.atlas.facts[s.truth]
        standby = self.world.atlas.keysets[s.truth].standby
        if facts.active is None or standby is None or standby.published is None:
            return "L1: after a reconcile there is not one active and one published standby key"
        if facts.grace:
            return f"L1: after a reconcile {', '.join(facts.grace)} is still in grace"
        if s.jwks != (0, facts.live, facts.known):
            return "L1: after a reconcile the JWKS is not the truth"
        return ""
