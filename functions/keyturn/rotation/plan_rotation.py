"""PlanRotation: understand the input, mint the op_id, decide whether a rotation is due."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from keyturn.aws.stack import Stack
from keyturn.keyset.planning import plan_rotation
from keyturn.rotation.task import Outcome, Planned, task


class PlanInput(BaseModel):
    """What starts an execution; the rest is there when a step that was overtaken comes back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["scheduled"]
    started_by: str = Field(min_length=1, max_length=256)
    supersede: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{43}$")
    plan: Planned | None = None
    standby: Outcome | None = None
    publication: Outcome | None = None
    probe: Outcome | None = None
    activation: Outcome | None = None
    retirement: Outcome | None = None
    destruction: Outcome | None = None


def run(stack: Stack, event: PlanInput) -> Outcome:
    """Outcome `rotate`, `not_due`, or `overtaken` when a run finds nothing left to do."""
    op_id = event.plan.op_id if event.plan else stack.clock.new_id()
    keyset = stack.keysets.read().keyset

    plan = plan_rotation(keyset, stack.clock.now(), stack.times, event.supersede)

    idle = "overtaken" if event.plan else "not_due"
    return {
        "outcome": "rotate" if plan.due else idle,
        "op_id": op_id,
        "reason": plan.reason.value,
        "supersede": plan.supersede,
    }


handler = task(PlanInput, run)
