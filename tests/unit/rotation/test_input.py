"""The input of an execution and of its steps: refused by the field's name, before anything is done."""

import pytest

from keyturn.aws.events import InvalidEvent
from keyturn.rotation import (
    activate_key,
    create_key,
    destroy_key,
    plan_rotation,
    probe_key,
    publish_jwks,
    retire_key,
)
from keyturn.rotation.plan_rotation import (
    EmergencyRequestInput,
    RollbackRequestInput,
    ScheduledInput,
)
from tests.definition import DEFINITION, STATES
from tests.unit.stage import invoke

GOOD = {"mode": "scheduled", "started_by": "tests"}
EMERGENCY = {"mode": "emergency", "started_by": "tests", "kids": ["k" * 43], "reason": "leaked"}
PLAN = {"op_id": "op-1", "reason": "trying", "supersede": "k" * 43}


RESULTS = {
    rule["ResultPath"].removeprefix("$.")
    for state in STATES.values()
    for rule in (state, *state.get("Catch", ()))
    if "ResultPath" in rule
}


def started(event, **added):
    """The execution's data in PlanRotation, after `event` came from outside."""
    return {**event, "request": event, **added}


def without(event, name):
    """The event without one field."""
    return {field: value for field, value in event.items() if field != name}


def refused(aws, cloud, module, event, field):
    """Insist that the event is refused for this field; nothing is read, nothing is written."""
    before = cloud.snapshot()
    with pytest.raises(InvalidEvent) as raised:
        invoke(module, event)
    assert str(raised.value).startswith(field)
    assert "secret" not in str(raised.value)
    assert aws.operations == []
    assert cloud.snapshot() == before


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({**GOOD, "supercede": "secret"}, "supercede"),
        ({**GOOD, "kids": ["secret"]}, "kids"),
        (without(GOOD, "started_by"), "started_by"),
        ({**GOOD, "started_by": ""}, "started_by"),
        ({**GOOD, "started_by": "x" * 257}, "started_by"),
        ({**GOOD, "started_by": 7}, "started_by"),
        ({**GOOD, "mode": "destroy"}, "mode"),
        (without(GOOD, "mode"), "mode"),
        ({**GOOD, "supersede": "active"}, "supersede"),
        ({**GOOD, "supersede": "k" * 44}, "supersede"),
        ({}, "mode"),
    ],
)
def test_an_execution_starts_with_what_is_understood_only(booted, aws, cloud, event, field):
    """PlanRotation is the first state: a typing error ends the execution there."""
    refused(aws, cloud, plan_rotation, started(event), field)


@pytest.mark.parametrize("name", sorted(RESULTS))
@pytest.mark.parametrize("mode", [GOOD, EMERGENCY])
def test_nobody_outside_says_what_a_state_says(booted, aws, cloud, mode, name):
    """Whatever a state of the definition writes is refused in a request, before a state has written it."""
    refused(
        aws,
        cloud,
        plan_rotation,
        started({**mode, name: PLAN}),
        f"{name}: Extra inputs are not permitted",
    )


@pytest.mark.parametrize(
    "request_type", [ScheduledInput, RollbackRequestInput, EmergencyRequestInput]
)
def test_no_state_writes_over_what_came_from_outside(request_type):
    """What the steps read of the request beside the results is what PlanRotation has checked."""
    assert request_type.model_fields
    assert not RESULTS & request_type.model_fields.keys()
    assert len(RESULTS) > len(request_type.model_fields)


def test_every_execution_begins_by_keeping_its_request():
    """No state comes back to it, so what it keeps is what came from outside and nothing else."""
    first = DEFINITION["StartAt"]
    assert STATES[first] == {**STATES[first], "Type": "Pass", "ResultPath": "$.request"}
    assert STATES[first]["Next"] == "PlanRotation"
    assert "Result" not in STATES[first]
    following = [state.get(name) for state in STATES.values() for name in ("Next", "Default")]
    following += [rule["Next"] for state in STATES.values() for rule in state.get("Choices", ())]
    following += [rule["Next"] for state in STATES.values() for rule in state.get("Catch", ())]
    assert first not in following


@pytest.mark.parametrize("odd", [[], 7, "scheduled", None, [{"mode": "scheduled"}]])
def test_an_input_that_is_no_object_is_refused(booted, aws, cloud, odd):
    """Where an engine goes on with it; AWS ends such an execution in its first state."""
    refused(aws, cloud, plan_rotation, {"request": odd}, "request: ")


@pytest.mark.parametrize(
    ("field", "event"),
    [
        ("plan.op_id", {"plan": {**PLAN, "op_id": "x" * 65}}),
        ("plan.op_id", {"plan": {**PLAN, "op_id": "e30.e30 secret"}}),
        ("plan.reason", {"plan": {**PLAN, "reason": "secret" * 60}}),
        ("plan.supersede", {"plan": {**PLAN, "supersede": "secret"}}),
        ("started_by", {"started_by": "secret" * 60}),
    ],
)
def test_a_step_takes_no_texts_of_any_length(booted, aws, cloud, field, event):
    """Whoever may invoke a step's function writes its event: what is stored and signed is bounded."""
    refused(aws, cloud, retire_key, {**GOOD, "plan": PLAN, **event}, field)


@pytest.mark.parametrize("event", [GOOD, {**GOOD, "supersede": None}])
def test_the_documented_inputs_are_understood(booted, event):
    """The schedule's own input, and one without a kid to supersede."""
    assert invoke(plan_rotation, started(event))["outcome"] == "not_due"


@pytest.mark.parametrize(
    "module", [create_key, publish_jwks, probe_key, activate_key, retire_key, destroy_key]
)
@pytest.mark.parametrize("field", ["started_by", "plan"])
def test_every_step_wants_its_own_fields(booted, aws, cloud, module, field):
    """A step that is started by hand with less is refused."""
    standby = {"standby": {"kid": "k" * 43}}
    refused(aws, cloud, module, without({**GOOD, "plan": PLAN, **standby}, field), field)


@pytest.mark.parametrize("module", [probe_key, activate_key])
def test_steps_of_a_standby_want_its_kid(booted, aws, cloud, module):
    """They never act on "the current one"."""
    refused(aws, cloud, module, {**GOOD, "plan": PLAN}, "standby")
    refused(
        aws,
        cloud,
        module,
        {**GOOD, "plan": PLAN, "standby": {"outcome": "overtaken"}},
        "standby.kid",
    )


@pytest.mark.parametrize("module", [retire_key, destroy_key])
def test_steps_of_a_superseded_key_want_its_kid(booted, aws, cloud, module):
    """A plan that superseded nobody retires and destroys nobody."""
    refused(aws, cloud, module, {**GOOD, "plan": {**PLAN, "supersede": None}}, "plan.supersede")


@pytest.mark.parametrize(("added", "idle"), [({}, "not_due"), ({"plan": PLAN}, "overtaken")])
def test_the_plan_keeps_its_op_id(booted, added, idle):
    """It is minted once; a run that comes back to the plan goes on as the same operation."""
    planned = invoke(plan_rotation, started(GOOD, **added))
    assert (planned["outcome"], planned["reason"]) == (idle, "active_key_not_due")
    assert planned["op_id"] == ("op-1" if "plan" in added else "id-1")
