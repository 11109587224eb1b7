"""PlanRotation: understand the input, mint the op_id, decide what there is to do."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from keyturn.aws.keyset_reader import KeysetMissing
from keyturn.aws.stack import Stack
from keyturn.keyset.document import Kid
from keyturn.keyset.errors import IllegalTransition
from keyturn.keyset.model import Key, Keyset
from keyturn.keyset.planning import plan_rotation
from keyturn.keyset.states import Event, State
from keyturn.rotation.task import Outcome, Planned, rfc3339, task

Text = Annotated[str, Field(min_length=1, max_length=256)]


class Started(BaseModel):
    """What every execution is told; the rest is there when a step that was overtaken comes back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    started_by: Text
    plan: Planned | None = None
    standby: Outcome | None = None
    publication: Outcome | None = None
    probe: Outcome | None = None
    activation: Outcome | None = None
    retirement: Outcome | None = None


class Scheduled(Started):
    """Rotate when due; with `supersede`, as soon as that kid is the active one."""

    mode: Literal["scheduled"]
    supersede: Kid | None = None


class Rollback(Started):
    """Make a grace key the active one again."""

    mode: Literal["rollback"]
    kid: Kid
    reason: Text


class Emergency(Started):
    """Revoke these keys now: explicit kids only, so that a retry revokes nothing else."""

    mode: Literal["emergency"]
    kids: tuple[Kid, ...] = Field(min_length=1, max_length=12)
    reason: Text


PlanInput = Annotated[Scheduled | Rollback | Emergency, Field(discriminator="mode")]


def run(stack: Stack, event: Scheduled | Rollback | Emergency) -> Outcome:
    """Outcome `rotate`, `roll_back`, `emergency`; or `not_due`, `overtaken`: nothing to do."""
    op_id = event.plan.op_id if event.plan else stack.clock.new_id()
    planned = {"op_id": op_id, "at": rfc3339(stack.clock.now())}
    match event:
        case Scheduled():
            return {**planned, **_scheduled(stack, event)}
        case Rollback():
            return {**planned, **_rollback(stack, event)}
        case Emergency():  # reads nothing: a revocation waits for nobody
            wait = stack.times.view_ttl + stack.times.clock_skew
            return {
                **planned,
                "outcome": "emergency",
                "reason": event.reason,
                "seconds_until_flush": wait,
            }


def _scheduled(stack: Stack, event: Scheduled) -> Outcome:
    try:
        keyset = stack.keysets.read().keyset
    except KeysetMissing:  # a new stack's schedule can be faster than its keyset
        return {"outcome": "not_due", "reason": "no_keyset", "supersede": None}
    plan = plan_rotation(keyset, stack.clock.now(), stack.times, event.supersede)
    idle = "overtaken" if event.plan else "not_due"
    return {
        "outcome": "rotate" if plan.due and not _has_turned(stack, keyset, event) else idle,
        "reason": plan.reason.value,
        "supersede": plan.supersede,
    }


def _has_turned(stack: Stack, keyset: Keyset, event: Scheduled) -> bool:
    """A run turns the key once: what was rolled back after it stays rolled back."""
    if event.activation and event.activation["outcome"] in ("activated", "activated_first"):
        return True
    kid = event.standby.get("kid") if event.standby else None
    return kid is not None and _has_signed(stack, keyset, kid)


def _has_signed(stack: Stack, keyset: Keyset, kid: str) -> bool:
    """Whether the standby of this run was activated, also if the reply to that was lost."""
    key = keyset.find(kid)
    if isinstance(key, Key):
        return key.activated is not None
    if key and key.state is State.REVOKED:
        stored = (generation.keyset.active for generation in stack.keysets.generations())
        return any(active and active.kid == kid for active in stored)
    return True  # retired; or nobody remembers it, and the plan is days old


def _rollback(stack: Stack, event: Rollback) -> Outcome:
    keyset = stack.keysets.read().keyset
    key = keyset.get(event.kid)
    if key.state is State.ACTIVE or event.plan:
        return {"outcome": "overtaken", "reason": event.reason}
    if key.state is not State.GRACE:
        raise IllegalTransition(key.kid, key.state, Event.ROLL_BACK)
    supersede = keyset.active.kid if keyset.active else None
    return {"outcome": "roll_back", "reason": event.reason, "supersede": supersede}


handler = task(PlanInput, run)
