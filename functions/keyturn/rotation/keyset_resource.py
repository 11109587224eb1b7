"""Keyset: the custom resource that boots last and is deleted first.

A new stack's first keys are made by its own workflow: a rotation that finds nobody signing. Deleting
the stack leaves nothing behind that costs money.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from keyturn.aws.custom_resource import CustomResource, answer
from keyturn.aws.stack import Stack
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import Origin
from keyturn.rotation.publish_jwks import project

_PATIENCE = 780  # seconds; the function's timeout is 840


class Properties(BaseModel):
    """What template.yaml says of the rest of the stack."""

    model_config = ConfigDict(frozen=True)

    state_machine_arn: str = Field(alias="StateMachineArn")
    schedules: list[str] = Field(alias="Schedules")


class NotBooted(KeysetFault):
    """The first rotation did not leave an active and a standby key behind."""


def run(stack: Stack, event: CustomResource) -> Mapping[str, str]:
    """Create, update or delete the keyset; raises NotBooted, AwsFault."""
    properties = Properties.model_validate(event.properties)
    origin = Origin(stack.clock.new_id(), "cloudformation", event.request_type.lower())
    match event.request_type:
        case "Create":
            boot(stack, origin, properties.state_machine_arn)
        case "Update":
            project(stack, origin)
        case "Delete":
            stack.executions.stop_schedules(properties.schedules)
            stack.executions.stop_all(properties.state_machine_arn)
            _remove(stack)
    return {}


def boot(stack: Stack, origin: Origin, state_machine_arn: str) -> None:
    """Found the keyset unless there is one, and have the workflow fill it."""
    kept = max(stack.history.highest(), _generation_shown(stack))
    stack.keysets.found(kept + 1, origin)
    status = stack.executions.run(
        state_machine_arn,
        {"mode": "scheduled", "started_by": origin.started_by},
        patience=_PATIENCE,
    )
    keyset = stack.keysets.read().keyset
    if not (keyset.active and keyset.standby):
        raise NotBooted(f"no active and standby key: the first rotation ended {status}")


def _generation_shown(stack: Stack) -> int:
    seen = stack.well_known.read()
    return seen.generation if seen else 0


def _remove(stack: Stack) -> None:
    for key in stack.kms.of_stack():
        stack.kms.destroy(key.arn, window=stack.settings.deletion_window)
    stack.keysets.delete(stack.keysets.stored())
    stack.well_known.empty_bucket()


def handler(event: Mapping[str, Any], _context: object) -> None:
    """CloudFormation's call."""
    answer(event, lambda request: run(Stack.of_environment(), request))
