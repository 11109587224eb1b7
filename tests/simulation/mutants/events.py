"""Mutants of the checks on inputs and events that outsiders send."""

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
from tests.simulation.mutants.patching import in_step, instead_of

_MEMBERS = {
    name
    for mode in (ScheduledInput, RollbackRequestInput, EmergencyRequestInput)
    for name in mode.model_fields
}


@in_step(plan_rotation, PlanInput)
def an_input_says_what_a_state_says(real, stack, event):
    """As it was: a `plan` in the input is taken for that of an overtaken run."""
    request = {name: part for name, part in event.request.items() if name in _MEMBERS}
    foreign = {name: part for name, part in event.request.items() if name not in _MEMBERS}
    results = event.model_dump(exclude={"request"}, exclude_none=True)
    return real(stack, PlanInput.model_validate({**foreign, **results, "request": request}))


@instead_of("retire", retire_key)
def a_key_retires_when_the_event_says_so(keyset, kid, now, *, times, limits):
    """RetireKey trusts that the state machine has waited."""
    if isinstance(keyset.get(kid), EndedKey):
        return keyset
    retiring = (_get_live_key(keyset, kid, Event.RETIRE),)
    return _end_keys(keyset, retiring, Event.RETIRE, now, limits)


@in_step(destroy_key, SupersedingInput)
def a_key_is_destroyed_when_the_event_says_so(_real, stack, event):
    """DestroyKey trusts that the key was retired."""
    key = stack.keysets.read().keyset.get(event.plan.supersede)
    stack.kms.destroy(key.kms_key_arn, window=stack.settings.deletion_window)
    return {"outcome": "destroyed", "kid": key.kid}


@instead_of("check_operation", keyset_resource)
def a_custom_resource_believes_its_event(*_arguments):
    """CloudFormation is not asked what it is doing."""


@instead_of("check_response_url", custom_resource)
def a_custom_resource_answers_anybody(_url):
    """The event says where the answer goes."""
