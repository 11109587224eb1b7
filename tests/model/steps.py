"""The steps of a run, each as the moves that its actor can make now."""

from collections.abc import Callable, Iterator

from tests.model.actor import Actor
from tests.model.atlas import bit, kids_of
from tests.model.changes import Call, Changes, Kind
from tests.model.constants import KIDS
from tests.model.moves import Move, Step, Way, answers, change_moves
from tests.model.world import Cutting, State


def plan(way: Way, requested_kid: str | None) -> Step:
    """PlanRotation: due or not, and which key is to be superseded.

    A run that got the reply to its activation never comes here again (actors.py); one whose reply was lost does.
    """

    def moves(changes: Changes, s: State, a: Actor) -> Iterator[Move]:
        if changes.atlas.constants.finds_own_activation and a.has_activated:
            yield Move(("plan", "this run has activated its key"), way.off(a))
            return
        for clock in range(changes.atlas.constants.skew + 1):
            due, supersede, wrong = changes.plan(s.truth, clock, requested_kid)
            if due:
                yield Move(("plan", "rotate"), way.on(a)._replace(supersede=supersede), wrong=wrong)
            else:
                yield Move(("plan", "not due"), way.off(a), wrong=wrong)

    return moves


def plan_rollback(way: Way, kid: str) -> Step:
    """PlanRotation of a rollback; only the table says whether the key can sign again."""

    def moves(changes: Changes, s: State, a: Actor) -> Iterator[Move]:
        active = changes.atlas.facts[s.truth].active
        if kid in changes.atlas.facts[s.truth].grace:
            yield Move(("plan", f"roll back to {kid}"), way.on(a)._replace(supersede=active))

    return moves


def ensure_standby(
    way: Way, only: Callable[[Changes, State], bool] = lambda _c, _s: True, *, spare: int = 0
) -> Step:
    """CreateKey: keep the standby if there is one, or register a new KMS key.

    A KMS key that is never registered changes nothing for anybody, so a key is named when it is
    registered. `only`: when there is anything to do at all. A run that would register more keys than the
    scenario has (and `spare`) waits for ever.
    """

    def moves(changes: Changes, s: State, a: Actor) -> Iterator[Move]:
        facts = changes.atlas.facts[s.truth]
        if not only(changes, s):
            yield Move(("ensure_standby", "nothing to do"), way.off(a))
        elif facts.standby:
            yield Move(("ensure_standby", facts.standby), way.on(a)._replace(standby=facts.standby))
        else:
            kids = KIDS[: changes.atlas.constants.keys + spare]
            kid = next((kid for kid in kids if not bit(kid) & (facts.known | s.ended)), None)
            if kid is None:
                return
            then = way.on(a)._replace(standby=kid)
            yield from change_moves(changes, s, a, Call("register", (kid,)), then, way.off(a))

    return moves


def nobody_signs(changes: Changes, s: State) -> bool:
    """There is no active key."""
    return changes.atlas.facts[s.truth].active is None


def activate(way: Way, *, once: bool = False) -> Step:
    """ActivateKey: the run's standby, in the place of the key that the plan named.

    `once`: an operator requested it, and what was rolled back after it must stay rolled back.
    """

    def moves(changes: Changes, s: State, a: Actor) -> Iterator[Move]:
        call = Call("activate", (a.standby or "",), a.supersede)
        for move in change_moves(changes, s, a, call, way.on(a), way.off(a)):
            if move.truth < 0:
                yield move
                continue
            undone = "a rotation undoes its rollback" if once and a.has_activated else ""
            actor = move.actor._replace(has_activated=once)
            yield move._replace(actor=actor, wrong=move.wrong or undone)

    return moves


def activate_alone(way: Way) -> Step:
    """The second half of ensure_active: the standby signs, if there is still no signer."""

    def moves(changes: Changes, s: State, a: Actor) -> Iterator[Move]:
        call = Call("activate_alone", (a.standby or "",))
        yield from change_moves(changes, s, a, call, way.on(a), way.off(a))

    return moves


def roll_back(way: Way, kid: str) -> Step:
    """RollBackKey: a grace key signs again."""

    def moves(changes: Changes, s: State, a: Actor) -> Iterator[Move]:
        yield from change_moves(
            changes, s, a, Call("roll_back", (kid,), a.supersede), way.on(a), way.off(a)
        )

    return moves


def retire(way: Way) -> Step:
    """RetireKey: the superseded key leaves the keyset. Nothing to wait for if there was none."""

    def moves(changes: Changes, s: State, a: Actor) -> Iterator[Move]:
        if a.supersede is None:
            yield Move(("retire", "nobody"), way.off(a))
            return
        yield from change_moves(
            changes, s, a, Call("retire", (a.supersede,)), way.on(a), way.off(a)
        )

    return moves


def retire_overdue(way: Way) -> Step:
    """Reconcile's first repair: every grace key whose time is over, in one write."""

    def moves(changes: Changes, s: State, a: Actor) -> Iterator[Move]:
        yield from change_moves(changes, s, a, Call("retire_overdue", ()), way.on(a), way.off(a))

    return moves


def revoke(way: Way, kids: tuple[str, ...]) -> Step:
    """RevokeKeys: these kids, in one write."""

    def moves(changes: Changes, s: State, a: Actor) -> Iterator[Move]:
        yield from change_moves(changes, s, a, Call("revoke", kids), way.on(a), way.off(a))

    return moves


def order(way: Way) -> Step:
    """The plan of a cut-off, whose instant follows from when it was made."""

    def moves(changes: Changes, _s: State, a: Actor) -> Iterator[Move]:
        for ahead in range(changes.atlas.constants.skew + 1):
            label = "order", f"clock {ahead:+d}"
            yield Move(label, way.on(a)._replace(plan=-ahead), cut=Cutting.ORDERED)

    return moves


def cut_off(way: Way, name: str) -> Step:
    """RevokeKeys with a client: one write, by the instant of the plan, however late or often."""

    def moves(changes: Changes, s: State, a: Actor) -> Iterator[Move]:
        assert a.plan is not None
        for move in change_moves(
            changes, s, a, Call(name, (), None, -a.plan), way.on(a), way.off(a)
        ):
            is_heard = move.actor.step != a.step and "refused" not in move.label
            yield move._replace(cut=Cutting.ACKNOWLEDGED) if is_heard else move

    return moves


def forget_cutoffs(way: Way) -> Step:
    """A repair of reconcile: what refuses no living token any more is dropped, once."""

    def moves(changes: Changes, s: State, a: Actor) -> Iterator[Move]:
        for move in change_moves(changes, s, a, Call("forget cut-offs", ()), way.on(a), way.off(a)):
            if move.actor.step != a.step or move.wrong:
                yield move

    return moves


def register_again(kid: str) -> Step:
    """CreateKey's registration of a KMS key that was created when the step began, repeated."""

    def moves(changes: Changes, s: State, a: Actor) -> Iterator[Move]:
        call = Call("register", (kid,), created=-a.since)
        for clock, answer in answers(changes, s, a, call):
            if answer.kind is Kind.WRITE or answer.wrong:
                label = "register", kid, f"clock {clock:+d}", f"created {a.since} s ago"
                # The caller never gets the reply.
                yield Move(label, a, truth=answer.number, wrong=answer.wrong)

    return moves


def any_call(way: Way) -> Step:
    """One change that names any kid, and any other to supersede."""

    def moves(changes: Changes, s: State, a: Actor) -> Iterator[Move]:
        known = kids_of(changes.atlas.facts[s.truth].known)
        for kid in known:
            named = [Call("retire", (kid,))]
            for supersede in (None, *known):
                named.append(Call("activate", (kid,), supersede))
                named.append(Call("roll_back", (kid,), supersede))
            for call in named:
                for move in change_moves(changes, s, a, call, way.on(a), a):
                    # Only with a reply: the calls are counted.
                    if move.actor.step != a.step or move.wrong:
                        yield move

    return moves
