"""PlanRotation: parse the request, create the op_id and decide what to do.

KeepRequest, the first state, moves the execution's input to `request`; everything else was added by
states of this execution. So a caller cannot forge a state's output: its input ends up in `request`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from keyturn.aws.events import InvalidEvent, parse
from keyturn.aws.keyset.reader import KeysetMissing
from keyturn.aws.stack import Stack
from keyturn.keyset.errors import IllegalTransition
from keyturn.keyset.model import Key, Keyset
from keyturn.keyset.planning import plan_rotation
from keyturn.keyset.states import Event, State
from keyturn.rotation.task import (
    CutOffs,
    Digests,
    Kid,
    Kids,
    Outcome,
    PlanOutput,
    Step,
    Text,
    rfc3339,
    task,
)


class _RequestInput(BaseModel):
    """What every request contains."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    started_by: Text


class ScheduledInput(_RequestInput):
    """Rotate when due; with `supersede`, rotate now if that kid is the active key."""

    mode: Literal["scheduled"]
    supersede: Kid | None = None


class RollbackRequestInput(_RequestInput):
    """Make a grace key the active key again."""

    mode: Literal["rollback"]
    kid: Kid
    reason: Text


class EmergencyRequestInput(_RequestInput):
    """Revoke keys and cut off tokens now. Kids are explicit: a retry revokes nothing else."""

    mode: Literal["emergency"]
    kids: Kids = ()
    cut_off: CutOffs = Field(default_factory=dict)
    block: Digests = ()
    release: Digests = ()
    reason: Text

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing."""
        return not (self.kids or any(self.cut_off.values()) or self.block or self.release)


_REQUEST: TypeAdapter[ScheduledInput | RollbackRequestInput | EmergencyRequestInput] = TypeAdapter(
    Annotated[
        ScheduledInput | RollbackRequestInput | EmergencyRequestInput, Field(discriminator="mode")
    ]
)


class PlanInput(BaseModel):
    """The request, and the results so far when an overtaken step has led back to the plan."""

    model_config = ConfigDict(frozen=True)

    request: Mapping[str, Any]
    plan: PlanOutput | None = None
    standby: Outcome | None = None
    activation: Outcome | None = None


def run(stack: Stack, event: PlanInput) -> Outcome:
    """Outcome `rotate`, `roll_back` or `emergency`; `not_due` or `overtaken` if nothing is to do.

    Raises InvalidEvent for an invalid request.
    """
    request = parse(_REQUEST, dict(event.request))
    op_id = event.plan.op_id if event.plan else stack.clock.new_id()
    plan = {"op_id": op_id, "at": rfc3339(stack.clock.now())}
    match request:
        case ScheduledInput():
            return {**plan, **_plan_scheduled(stack, request, event)}
        case RollbackRequestInput():
            return {**plan, **_plan_rollback(stack, request, event)}
        case EmergencyRequestInput() if request.is_empty:
            raise InvalidEvent("kids: empty, and so are cut_off, block and release")
        case EmergencyRequestInput():  # reads nothing: nothing may delay a revocation
            wait = stack.times.view_ttl + stack.times.clock_skew
            return {
                **plan,
                "outcome": "emergency",
                "reason": request.reason,
                "seconds_until_flush": wait,
            }


def _plan_scheduled(stack: Stack, request: ScheduledInput, event: PlanInput) -> Outcome:
    try:
        keyset = stack.keysets.read().keyset
    except KeysetMissing:  # a new stack's schedule may start before the keyset exists
        return {"outcome": "not_due", "reason": "no_keyset", "supersede": None}
    plan = plan_rotation(keyset, stack.clock.now(), stack.times, request.supersede)
    fallback = "overtaken" if event.plan else "not_due"
    return {
        "outcome": "rotate" if plan.due and not _has_rotated(stack, keyset, event) else fallback,
        "reason": plan.reason.value,
        "supersede": plan.supersede,
    }


def _has_rotated(stack: Stack, keyset: Keyset, event: PlanInput) -> bool:
    """Whether this run has rotated already. It rotates only once, so a later rollback persists."""
    if event.activation and event.activation["outcome"] in ("activated", "activated_without_grace"):
        return True
    kid = event.standby.get("kid") if event.standby else None
    return kid is not None and _has_signed(stack, keyset, kid)


def _has_signed(stack: Stack, keyset: Keyset, kid: str) -> bool:
    """Whether the standby of this run was activated, even if the reply was lost."""
    key = keyset.find(kid)
    if isinstance(key, Key):
        return key.activated is not None
    if key and key.state is State.REVOKED:
        stored = (generation.keyset.active for generation in stack.keysets.read_generations())
        return any(active and active.kid == kid for active in stored)
    return True  # retired, or ended so long ago that it is no longer listed


def _plan_rollback(stack: Stack, request: RollbackRequestInput, event: PlanInput) -> Outcome:
    keyset = stack.keysets.read().keyset
    key = keyset.get(request.kid)
    if key.state is State.ACTIVE or event.plan:
        return {"outcome": "overtaken", "reason": request.reason}
    if key.state is not State.GRACE:
        raise IllegalTransition(key.kid, key.state, Event.ROLL_BACK)
    supersede = keyset.active.kid if keyset.active else None
    return {"outcome": "roll_back", "reason": request.reason, "supersede": supersede}


handler = task(Step.PLAN_ROTATION, PlanInput, run)
