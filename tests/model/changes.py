"""Every change goes through the product's own transitions, and each answer is checked against the design.

What is checked here depends on the change alone (the keyset before, the call, the keyset after), so it
is remembered with the answer: S4, S6, S7, that a step reports success only for what it did, that a
repetition changes nothing, that a rotation supersedes the key it names, and that no step ends in a fault.
"""

from enum import IntEnum
from typing import NamedTuple

from keyturn.keyset import planning, timing, transitions
from keyturn.keyset.errors import CreatedTooLongAgo, Refused, TooEarly
from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.states import State
from keyturn.keyset.succession import find_violation
from tests.model import cutting
from tests.model.atlas import Atlas
from tests.model.constants import instant, seconds


class Kind(IntEnum):
    """How a transition can answer."""

    WRITE = 0
    SAME = 1
    EARLY = 2
    REFUSED = 3
    FAULT = 4


class Call(NamedTuple):
    """A transition with its arguments, except the keyset and the clock."""

    name: str
    kids: tuple[str, ...]
    supersede: str | None = None
    created: int | None = None  # seconds from now: of the KMS key (None: 0), or of a cut-off's plan


class Answer(NamedTuple):
    """The result of a call; `number` is that of the resulting keyset."""

    kind: Kind
    number: int = -1
    wrong: str = ""


class Changes:
    """The product's transitions, called once for each keyset, call and reading of the clock."""

    def __init__(self, atlas: Atlas) -> None:
        self.atlas = atlas
        self._answers: dict[tuple[int, Call, int], Answer] = {}
        self._plans: dict[tuple[int, int, str | None], tuple[bool, str | None, str]] = {}

    def answer(self, number: int, call: Call, clock: int) -> Answer:
        """The product's answer for this keyset when its clock shows `clock`."""
        question = number, call, clock
        if question not in self._answers:
            self._answers[question] = self._compute(number, call, clock)
        return self._answers[question]

    def plan(
        self, number: int, clock: int, requested_kid: str | None
    ) -> tuple[bool, str | None, str]:
        """Whether a rotation is due, the key that it is to supersede, and the violation in that, if any."""
        key = number, clock, requested_kid
        if key not in self._plans:
            c, keyset = self.atlas.constants, self.atlas.keysets[number]
            plan = planning.plan_rotation(keyset, instant(clock), c.times, requested_kid)
            is_right = plan.due is _due(keyset, clock, c.R, requested_kid)
            wrong = "" if is_right else "PlanRotation: not by R"
            self._plans[key] = plan.due, plan.supersede, wrong
        return self._plans[key]

    def _compute(self, number: int, call: Call, clock: int) -> Answer:
        before = self.atlas.keysets[number]
        try:
            after = self._changed(before, call, clock)
        except TooEarly:
            return Answer(Kind.EARLY)
        except Refused:
            return Answer(Kind.REFUSED)
        except CreatedTooLongAgo:
            return Answer(Kind.FAULT)
        except Exception as error:
            wrong = f"L1: {call.name} ends in a fault ({type(error).__name__}: {error})"
            return Answer(Kind.FAULT, wrong=wrong)
        wrong = self._violation(before, call, clock, after)
        kind = Kind.SAME if after == before else Kind.WRITE
        return Answer(kind, self.atlas.number(after), wrong)

    def _changed(self, keyset: Keyset, call: Call, clock: int) -> Keyset:
        if call.name not in cutting.NAMES:
            return self._applied(keyset, call, clock)
        c, planned = self.atlas.constants, instant(call.created or 0)
        return cutting.applied(keyset, call.name, planned, instant(clock), c.times, c.limits)

    def _applied(self, keyset: Keyset, call: Call, clock: int) -> Keyset:
        times, limits = self.atlas.constants.times, self.atlas.constants.limits
        now, kid = instant(clock), call.kids[0] if call.kids else ""
        match call.name:
            case "register":
                created = instant(clock if call.created is None else call.created)
                return transitions.register(
                    keyset,
                    kid,
                    "arn",
                    now,
                    created=created,
                    lifetime=times.token_lifetime,
                    limits=limits,
                )
            case "publish":
                return transitions.publish(keyset, call.kids, now)
            case "activate":
                return transitions.activate(
                    keyset, kid, now, supersede=call.supersede, times=times, limits=limits
                )
            case "activate_alone":  # rotation/create_key.py, ensure_active
                if keyset.active:
                    return keyset
                return transitions.activate(
                    keyset, kid, now, supersede=None, times=times, limits=limits
                )
            case "roll_back":
                return transitions.roll_back(
                    keyset, kid, now, supersede=call.supersede, times=times
                )
            case "retire":
                return transitions.retire(keyset, kid, now, times=times, limits=limits)
            case "retire_overdue":
                return transitions.retire_overdue(keyset, now, times=times, limits=limits)
            case "revoke":
                known = [kid for kid in call.kids if keyset.find(kid)]
                return transitions.revoke(keyset, known, now, times=times, limits=limits)
        raise NotImplementedError(call.name)

    def _violation(self, before: Keyset, call: Call, clock: int, after: Keyset) -> str:
        """The violation in this change, or an empty text."""
        if not _is_done(before, call, after):
            return f"S9: {call.name} reports success, and its change is not in the keyset"
        # A second later another key, or a cut-off, may be overdue; every other change is over once it is made.
        is_forgetful = call.name in ("retire_overdue", *cutting.NAMES)
        for later in (0,) if is_forgetful else (0, 1):
            try:
                again = self._changed(after, call, clock + later)
            except Exception as error:
                return f"a repeated {call.name} ends in {type(error).__name__}"
            if again != after:
                return f"a repeated {call.name} changes something again"
        if why := find_violation(_generation(before, 0), _generation(after, max(clock, 0))):
            return f"S9: no reader would follow {call.name}: {why}"
        for check in (_s4, _s6, _s7, _s10, _names_its_key):
            if wrong := check(self.atlas, before, call, after):
                return wrong
        return ""


def _generation(keyset: Keyset, at: int) -> Generation:
    return Generation(1, "", "", "", instant(at), keyset)


def _due(keyset: Keyset, clock: int, period: int, requested_kid: str | None) -> bool:
    """As the design says: an operator's rotation is due while that kid signs, others when now ≥ activated + R."""
    active = keyset.active
    if requested_kid:
        return active is not None and active.kid == requested_kid
    if active is None or active.activated is None:
        return True
    return clock >= seconds(active.activated) + period


def _is_done(before: Keyset, call: Call, after: Keyset) -> bool:
    keys_after = [after.find(kid) for kid in call.kids]
    match call.name:
        case "register":
            return isinstance(keys_after[0], Key)
        case "activate" | "roll_back":
            active, superseded = after.active, after.find(call.supersede or "")
            if active is None or active.kid != call.kids[0] or active.activated is None:
                return False
            is_named = call.supersede is not None and after != before
            return not is_named or (superseded is not None and superseded.state is State.GRACE)
        case "activate_alone":
            return after.active is not None
        case "retire":
            return keys_after[0] is not None and keys_after[0].state is State.RETIRED
        case "revoke":
            if any(isinstance(key, Key) for key in keys_after):
                return False
            standby = before.standby and after.find(before.standby.kid)
            return not (before.active and isinstance(standby, Key) and after.active is None)
    return True


def _s4(_atlas: Atlas, _before: Keyset, _call: Call, after: Keyset) -> str:
    states = [key.state for key in after.keys]
    if states.count(State.ACTIVE) > 1 or states.count(State.STANDBY) > 1:
        return "S4: two active or two standby keys"
    return ""


def _s6(atlas: Atlas, before: Keyset, call: Call, after: Keyset) -> str:
    """True time: the stamp of the publication may be `skew` ahead, the write lands at 0."""
    c, active = atlas.constants, after.active
    was = before.find(active.kid) if active else None
    another = before.active and isinstance(after.find(before.active.kid), Key)
    if not isinstance(was, Key) or was.state is not State.STANDBY or not another:
        return ""
    if was.published is None:
        return f"S6: {was.kid} signs beside another key and was never published"
    if seconds(was.published) + max(c.P, c.C) + c.replication >= 0:
        return f"S6: {was.kid} signs too soon after its publication"
    return ""


def _s7(_atlas: Atlas, before: Keyset, _call: Call, after: Keyset) -> str:
    """By the slowest reader's clock, which shows the true time."""
    for key in before.keys:
        now = after.find(key.kid)
        if isinstance(now, EndedKey) and now.state is State.RETIRED:
            if key.verify_until is None or key.state is not State.GRACE:
                return f"S7: {key.kid} retires as {key.state}"
            if seconds(key.verify_until) >= 0:
                return f"S7: {key.kid} retires before a reader's clock is past its verify_until"
    return ""


def _s10(atlas: Atlas, _before: Keyset, _call: Call, after: Keyset) -> str:
    """Also once there is a standby again."""
    most, keys = atlas.constants.limits.live_keys, len(after.keys)
    if keys + (after.active is not None and after.standby is None) > most:
        return f"S10: {keys} live keys leave no room for a standby in a JWKS of {most}"
    return ""


def _names_its_key(_atlas: Atlas, before: Keyset, call: Call, after: Keyset) -> str:
    """A rotation or a rollback supersedes the key that it names and no other; nothing else supersedes any."""
    superseded_now = {key.kid for key in after.grace} - {key.kid for key in before.grace}
    allowed = {call.supersede} if call.name in ("activate", "roll_back") else set()
    if superseded_now - allowed:
        return f"{call.name} supersedes {', '.join(superseded_now)}, which it did not name"
    return ""


def bound(atlas: Atlas) -> int:
    """S2: how long after a revocation an authorizer may accept the kid, as the product says it."""
    c = atlas.constants
    return int(timing.revocation_bound(c.times).total_seconds()) + max(0, c.stale - c.C)
