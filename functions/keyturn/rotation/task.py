"""What every Task has in common: parse the input, run the step, return and log the outcome."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from keyturn.aws.events import parse
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Metric, measure
from keyturn.keyset import timing
from keyturn.keyset.cutoffs import DIGEST_LENGTH, Claim
from keyturn.keyset.errors import Refused, TooEarly
from keyturn.keyset.model import Origin
from keyturn.keyset.values import KID

MAX_CUTOFFS = 60  # in one request

Outcome = Mapping[str, Any]
Handler = Callable[[Mapping[str, Any], object], Outcome]
Text = Annotated[str, Field(min_length=1, max_length=256)]
OpId = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Kid = Annotated[str, Field(pattern=KID)]
Kids = Annotated[tuple[Kid, ...], Field(max_length=12)]
Digest = Annotated[str, Field(pattern=rf"^[A-Za-z0-9_-]{{{DIGEST_LENGTH}}}$")]
Digests = Annotated[tuple[Digest, ...], Field(max_length=MAX_CUTOFFS)]
CutOffs = Mapping[Claim, Digests]
_I = TypeVar("_I")


class Step(StrEnum):
    """The Tasks of the workflow, by the names used in their log lines."""

    ACTIVATE_KEY = "activate_key"
    CONCLUDE_EMERGENCY = "conclude_emergency"
    CREATE_KEY = "create_key"
    DESTROY_KEY = "destroy_key"
    DISABLE_KEYS = "disable_keys"
    FLUSH_AUTHORIZERS = "flush_authorizers"
    PLAN_ROTATION = "plan_rotation"
    PROBE_KEY = "probe_key"
    PUBLISH_JWKS = "publish_jwks"
    REPLACE_KEYS = "replace_keys"
    RETIRE_KEY = "retire_key"
    REVOKE_KEYS = "revoke_keys"
    ROLL_BACK_KEY = "roll_back_key"


class PlanOutput(BaseModel):
    """What PlanRotation decided; every later state of the execution reads it."""

    model_config = ConfigDict(frozen=True)

    op_id: OpId
    reason: Text
    supersede: Kid | None = None
    at: datetime | None = None  # missing in executions planned by an older release


class StandbyOutput(BaseModel):
    """The standby, from CreateKey."""

    model_config = ConfigDict(frozen=True)

    kid: Kid


class StepInput(BaseModel):
    """The execution's state, as every step after the plan receives it."""

    model_config = ConfigDict(frozen=True)

    started_by: Text
    plan: PlanOutput

    @property
    def origin(self) -> Origin:
        """How the history attributes a change that this step makes."""
        return Origin(self.plan.op_id, self.started_by, self.plan.reason)


class StandbyInput(StepInput):
    """The state of an execution that has a standby."""

    standby: StandbyOutput


class SupersedingPlan(PlanOutput):
    """A plan that names the key to supersede."""

    supersede: Kid


class SupersedingInput(StepInput):
    """The state of an execution that has superseded a key."""

    plan: SupersedingPlan


class EmergencyInput(StepInput):
    """The state of an emergency: which keys to revoke, and whose tokens to refuse.

    `cut_off` holds digests of claim values (keyset/cutoffs.py), `block` and `release` those of
    client names.
    """

    kids: Kids = ()
    cut_off: CutOffs = Field(default_factory=dict)
    block: Digests = ()
    release: Digests = ()


def task(step: Step, input_type: Any, run: Callable[[Stack, _I], Outcome]) -> Handler:
    """The Lambda handler around `run(stack, input)`; `step` is the message of its log line.

    A refusal becomes an outcome for the Choice states: `too_early`, with the time of the next
    attempt, or `overtaken`, if the keyset has changed since the plan.
    """
    adapter: TypeAdapter[_I] = TypeAdapter(input_type)

    @logger.inject_lambda_context(clear_state=True)
    def handler(event: Mapping[str, Any], _context: object) -> Outcome:
        parsed, stack = parse(adapter, event), Stack.from_environment()
        try:
            outcome = run(stack, parsed)
        except TooEarly as refusal:
            again_at = rfc3339(timing.wake_after(refusal.until, stack.times))
            outcome = {"outcome": "too_early", "reason": str(refusal), "again_at": again_at}
        except Refused as refusal:
            outcome = {"outcome": "overtaken", "reason": str(refusal)}
        logger.info(step, **outcome)
        return outcome

    return cast("Handler", handler)


def measure_since_plan(stack: Stack, event: StepInput, name: Metric) -> None:
    """Measure the time from the plan until now, in seconds."""
    if event.plan.at:
        measure(name, max(0.0, (stack.clock.now() - event.plan.at).total_seconds()))


def rfc3339(instant: datetime) -> str:
    """An instant in the format that Step Functions' Wait states take."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
