"""Keyset: the custom resource that boots last and is deleted first.

A new stack's first keys are made by its own workflow: a rotation that finds nobody signing. Deleting
the stack leaves nothing behind that costs money, unless the keyset is to be retained; a stack of the
same name then goes on with it.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from keyturn.aws.custom_resource import CustomResource, answer
from keyturn.aws.executions import RUNNING, SUCCEEDED
from keyturn.aws.stack import Stack
from keyturn.keyset.errors import DocumentInvalid, KeysetFault
from keyturn.keyset.model import Origin
from keyturn.rotation.publish_jwks import project

_PATIENCE = 780  # seconds; the function's timeout is 840


class Properties(BaseModel):
    """What template.yaml says of the rest of the stack."""

    model_config = ConfigDict(frozen=True)

    state_machine_arn: str = Field(alias="StateMachineArn")
    schedules: list[str] = Field(alias="Schedules")
    retain: bool = Field(default=False, alias="Retain")


class NotBooted(KeysetFault):
    """The first rotation did not leave an active and a standby key behind."""


def run(stack: Stack, event: CustomResource) -> Mapping[str, str]:
    """Create, update or delete the keyset; its attributes say where verifiers find it.

    Raises NotBooted, AwsFault.
    """
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
            if not properties.retain:
                _remove(stack)
    return {"Issuer": stack.settings.issuer, "JwksUrl": stack.well_known.jwks_url}


def boot(stack: Stack, origin: Origin, state_machine_arn: str) -> None:
    """Found the keyset unless there is one, and have the workflow fill it.

    The schedule may have started a rotation as well: whichever of the two does the work, the keyset
    is what counts.
    """
    kept = max({*stack.history.numbers(), _generation_shown(stack)})
    if stack.keysets.found(kept + 1, origin).keyset.keys:  # retained by the stack before this one
        project(stack, origin)
    execution = stack.executions.start(
        state_machine_arn, {"mode": "scheduled", "started_by": origin.started_by}
    )
    deadline = stack.clock.monotonic() + _PATIENCE
    while not _complete(stack):
        status = stack.executions.status(execution)
        if status not in (RUNNING, SUCCEEDED):
            raise NotBooted(
                f"the first rotation ended {status}: {stack.executions.cause(execution)}"
            )
        if stack.clock.monotonic() > deadline:
            raise NotBooted(f"no active and standby key, both published, after {_PATIENCE} s")
        stack.clock.sleep(1)


def _complete(stack: Stack) -> bool:
    keyset = stack.keysets.read().keyset
    return all(key and key.published for key in (keyset.active, keyset.standby))


def _generation_shown(stack: Stack) -> int:
    seen = stack.well_known.read()
    return seen.generation if seen else 0


def _remove(stack: Stack) -> None:
    stack.clock.sleep(stack.times.write_delay)  # what was running has landed
    stored = stack.keysets.stored()
    arns = {key.arn for key in stack.kms.of_stack()}
    for number, text in stored.items():
        with suppress(DocumentInvalid):  # what cannot be read must not keep the stack alive
            arns |= {key.kms_key_arn for key in stack.keysets.parsed(number, text).keyset.known}
    for arn in arns:
        stack.kms.destroy(arn, window=stack.settings.deletion_window)
    stack.keysets.delete(stored)
    stack.well_known.empty_bucket()


def handler(event: Mapping[str, Any], _context: object) -> None:
    """CloudFormation's call."""
    answer(event, lambda request: run(Stack.of_environment(), request))
