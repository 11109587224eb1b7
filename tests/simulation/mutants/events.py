"""Mutants of what guards against an input, or an event, that somebody outside has made up."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from unittest.mock import patch

from keyturn.aws import custom_resource
from keyturn.keyset.model import EndedKey
from keyturn.keyset.states import Event
from keyturn.keyset.transitions import _end_keys, _get_live_key
from keyturn.rotation import destroy_key, keyset_resource, plan_rotation, retire_key
from keyturn.rotation.plan_rotation import (
    EmergencyRequestInput,
    PlanInput,
    RollbackRequestInput,
    ScheduledInput,
)
from keyturn.rotation.task import SupersedingInput
from tests.simulation.mutants.patching import rebuilt

_MEMBERS = {
    name
    for mode in (ScheduledInput, RollbackRequestInput, EmergencyRequestInput)
    for name in mode.model_fields
}


def an_input_says_what_a_state_says() -> AbstractContextManager[Any]:
    """As it was: a `plan` in the input is taken for that of an overtaken run."""

    def run(stack: Any, event: Any) -> Any:
        request = {name: part for name, part in event.request.items() if name in _MEMBERS}
        brought = {name: part for name, part in event.request.items() if name not in _MEMBERS}
        results = event.model_dump(exclude={"request"}, exclude_none=True)
        return real(stack, PlanInput.model_validate({**brought, **results, "request": request}))

    real = plan_rotation.run
    return rebuilt(plan_rotation, PlanInput, run)


def a_key_retires_when_the_event_says_so() -> AbstractContextManager[Any]:
    """RetireKey trusts that the state machine has waited."""

    def retire(keyset: Any, kid: str, now: datetime, *, times: Any, limits: Any) -> Any:
        if isinstance(keyset.get(kid), EndedKey):
            return keyset
        return _end_keys(
            keyset, (_get_live_key(keyset, kid, Event.RETIRE),), Event.RETIRE, now, limits
        )

    return patch.object(retire_key, "retire", retire)


def a_key_is_destroyed_when_the_event_says_so() -> AbstractContextManager[Any]:
    """DestroyKey trusts that the key was retired."""

    def run(stack: Any, event: Any) -> Any:
        key = stack.keysets.read().keyset.get(event.plan.supersede)
        stack.kms.destroy(key.kms_key_arn, window=stack.settings.deletion_window)
        return {"outcome": "destroyed", "kid": key.kid}

    return rebuilt(destroy_key, SupersedingInput, run)


def a_custom_resource_believes_its_event() -> AbstractContextManager[Any]:
    """CloudFormation is not asked what it is doing."""
    return patch.object(keyset_resource, "check_operation", lambda *_arguments: None)


def a_custom_resource_answers_anybody() -> AbstractContextManager[Any]:
    """The event says where the answer goes."""
    return patch.object(custom_resource, "check_response_url", lambda _url: None)
