"""The runs: which steps they take, in the order of statemachine/rotation.asl.json.

Left out because they touch neither keyset nor JWKS: ProbeKey, DisableKeys, DestroyKey, flushing, and the
Wait states (a step that finds it too early makes no move until it is time, by its own clock).
"""

from typing import NamedTuple

from tests.model import steps
from tests.model.actor import Actor
from tests.model.constants import Constants
from tests.model.moves import Step, Way
from tests.model.publishing import publish
from tests.model.steps import ensure_standby, nobody_signs


class Run(NamedTuple):
    """A kind of actor: its name in traces, its steps, and how it starts.

    `timed`: the steps whose change depends on when the clock was read. `about`: those at which it still
    matters which standby the run is about. What does not matter is forgotten: fewer states.
    """

    name: str
    steps: tuple[Step, ...]
    timed: frozenset[int] = frozenset()
    about: frozenset[int] = frozenset()
    start: Actor = Actor()

    def settled(self, actor: Actor, constants: Constants) -> Actor:
        """The actor without the members that no longer matter."""
        if actor.step < 0:
            return Actor(step=-1)
        reading = actor.held is not None and actor.held[0] == "seen"
        if not (reading or constants.remembers_ends or actor.step in self.timed):
            actor = actor._replace(since=constants.patience)
        return actor if actor.step in self.about else actor._replace(standby=None)


def scheduled(name: str = "scheduled", requested_kid: str | None = "A") -> Run:
    """A rotation; `requested_kid` is the active kid that an operator wants superseded, None: due by age."""
    return Run(
        name,
        (
            steps.plan(Way(1), requested_kid),
            ensure_standby(Way(2, 0)),
            publish(Way(3, 0), own=True),
            steps.activate(Way(4, 0), once=requested_kid is not None),
            # A run that got the reply to its activation activates no key again: from here on refused is the end.
            ensure_standby(Way(5)),
            publish(Way(6)),
            steps.retire(Way(7)),
            publish(Way(-1)),
        ),
        timed=frozenset({3, 6}),
        about=frozenset({2, 3}),
    )


def rollback(kid: str = "A") -> Run:
    """An operator's rollback to a grace key."""
    return Run(
        "rollback",
        (
            steps.plan_rollback(Way(1), kid),
            steps.roll_back(Way(2), kid),
            publish(Way(3)),
            steps.retire(Way(4)),
            publish(Way(-1)),
        ),
        timed=frozenset({1, 3}),
    )


def emergency(*kids: str, name: str = "emergency") -> Run:
    """A revocation; each step is followed by the next, whatever its outcome."""
    return Run(
        name,
        (
            steps.revoke(Way(1, 1), kids),
            publish(Way(2, 2)),
            ensure_standby(Way(3, 4), only=nobody_signs),
            steps.activate_alone(Way(4, 4)),
            ensure_standby(Way(5, 5)),
            publish(Way(-1)),
        ),
        about=frozenset({3}),
    )


def cut_off(kind: str = "cut off", name: str = "cut-off") -> Run:
    """An operator cuts a client's tokens off, or blocks the client."""
    return Run(name, (steps.order(Way(1)), steps.cut_off(Way(-1), kind)), timed=frozenset({1}))


def forgetting() -> Run:
    """The repair of reconcile that drops expired cut-offs."""
    return Run("forgetting", (steps.forget_cutoffs(Way(-1)),), timed=frozenset({0}))


def reconcile(name: str = "reconcile", spare: int = 0) -> Run:
    """One run of reconcile; its repairs of the keyset and of the JWKS."""
    return Run(
        name,
        (
            steps.retire_overdue(Way(1)),
            ensure_standby(Way(2, 3), only=nobody_signs, spare=spare),
            steps.activate_alone(Way(3, 3)),
            ensure_standby(Way(4, 4), spare=spare),
            publish(Way(-1)),
        ),
        timed=frozenset({0}),
        about=frozenset({2}),
    )


def projector(name: str) -> Run:
    """A step that publishes the JWKS for the latest generation."""
    return Run(name, (publish(Way(-1)),))


def late_activation() -> Run:
    """A repeated ActivateKey, of a run that activated B in the place of A: it may come at any time."""
    start = Actor(standby="B", supersede="A")
    return Run(
        "late ActivateKey", (steps.activate(Way(-1)),), frozenset({0}), frozenset({0}), start
    )


def late_registration(kid: str = "B") -> Run:
    """CreateKey after a lost reply: it may try to register its KMS key at any later time."""
    return Run("late CreateKey", (steps.register_again(kid),), frozenset({0}))


def stray(calls: int = 2) -> Run:
    """A caller that requests any change of any kid at any time; only the guards refuse it."""
    following = (*range(1, calls), -1)
    timed = frozenset(range(calls))
    return Run("stray caller", tuple(steps.any_call(Way(step)) for step in following), timed)
