"""The input of an execution and of its steps: refused by the field's name, before anything is done."""

import pytest

from keyturn.aws.events import InvalidEvent
from keyturn.keyset.cutoffs import digest_of
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
ROLLBACK = {"mode": "rollback", "started_by": "tests", "kid": "k" * 43, "reason": "bad key"}
PLAN = {"op_id": "op-1", "reason": "trying", "supersede": "k" * 43}
KID, DIGEST = "k" * 43, digest_of("ann")

RESULTS = {
    rule["ResultPath"].removeprefix("$.")
    for state in STATES.values()
    for rule in (state, *state.get("Catch", ()))
    if "ResultPath" in rule
}


def started(event, **results):
    """The execution's data in PlanRotation, after `event` came from outside."""
    return {**event, "request": event, **results}


def without(event, name):
    """The event without one field."""
    return {field: value for field, value in event.items() if field != name}


def assert_refused(aws, cloud, module, event, field):
    """Assert that a step refuses an event, naming the field, before it reads or writes anything."""
    before = cloud.snapshot()
    with pytest.raises(InvalidEvent) as refusal:
        invoke(module, event)
    assert str(refusal.value).startswith(field)
    assert "secret" not in str(refusal.value)
    assert aws.operations == []
    assert cloud.snapshot() == before


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "mode: "),
        (without(GOOD, "mode"), "mode: "),
        ({**GOOD, "mode": "destroy"}, "mode: "),
        ({**GOOD, "supercede": "secret"}, "supercede: "),
        ({**GOOD, "kids": ["secret"]}, "kids: "),
        (without(GOOD, "started_by"), "started_by: "),
        ({**GOOD, "started_by": ""}, "started_by: "),
        ({**GOOD, "started_by": "x" * 257}, "started_by: "),
        ({**GOOD, "started_by": 7}, "started_by: "),
        ({**GOOD, "supersede": "active"}, "supersede: "),
        ({**GOOD, "supersede": "k" * 44}, "supersede: "),
        ({**ROLLBACK, "kid": "previous"}, "kid: "),
        ({**ROLLBACK, "kid": None}, "kid: "),
        ({**ROLLBACK, "reason": ""}, "reason: "),
        ({**ROLLBACK, "kids": [KID]}, "kids: "),
        ({**EMERGENCY, "kids": ["active"]}, "kids.0: "),
        ({**EMERGENCY, "kids": [KID, "standby"]}, "kids.1: "),
        ({**EMERGENCY, "kids": KID}, "kids: "),
        ({**EMERGENCY, "kids": None}, "kids: "),
        ({**EMERGENCY, "kids": [KID] * 13}, "kids: "),
        (without(EMERGENCY, "reason"), "reason: "),
        ({**EMERGENCY, "reason": ""}, "reason: "),
        ({**EMERGENCY, "reason": None}, "reason: "),
        ({**EMERGENCY, "reason": "r" * 257}, "reason: "),
        ({**EMERGENCY, "started_by": ""}, "started_by: "),
        ({**EMERGENCY, "supersede": KID}, "supersede: "),
        ({**EMERGENCY, "kid": KID}, "kid: "),
        (without(EMERGENCY, "kids"), "kids: empty, and so are"),
        ({**EMERGENCY, "kids": []}, "kids: empty, and so are"),
        ({**EMERGENCY, "kids": [], "cut_off": {}}, "kids: empty, and so are"),
        ({**EMERGENCY, "kids": [], "cut_off": {"sub": []}}, "kids: empty, and so are"),
        ({**EMERGENCY, "cut_off": {"kid": [DIGEST]}}, "cut_off.kid"),
        ({**EMERGENCY, "cut_off": {"sub": ["ann"]}}, "cut_off.sub.0: "),
        ({**EMERGENCY, "cut_off": {"sub": [DIGEST] * 61}}, "cut_off.sub: "),
        ({**EMERGENCY, "block": "orders"}, "block: "),
        ({**EMERGENCY, "release": ["orders"]}, "release.0: "),
    ],
)
def test_an_invalid_request_is_refused(booted, aws, cloud, request_, field):
    """PlanRotation is the first step, so a typing error ends the execution there."""
    assert_refused(aws, cloud, plan_rotation, started(request_), field)


def test_an_invalid_request_fails_its_execution(start):
    """No state after PlanRotation is entered."""
    run = start("emergency", kids=["active"], reason="key leaked")
    assert run.finish() == "failed"
    assert run.visited == ["KeepRequest", "PlanRotation"]


@pytest.mark.parametrize("name", sorted(RESULTS))
@pytest.mark.parametrize("request_", [GOOD, EMERGENCY])
def test_a_request_cannot_contain_a_states_result(booted, aws, cloud, request_, name):
    """A caller cannot forge what only a state of the definition may write."""
    problem = f"{name}: Extra inputs are not permitted"
    assert_refused(aws, cloud, plan_rotation, started({**request_, name: PLAN}), problem)


@pytest.mark.parametrize(
    "request_type", [ScheduledInput, RollbackRequestInput, EmergencyRequestInput]
)
def test_no_result_overwrites_the_request(request_type):
    """Beside the results, the steps read exactly the request that PlanRotation has validated."""
    assert request_type.model_fields
    assert not RESULTS & request_type.model_fields.keys()
    assert len(RESULTS) > len(request_type.model_fields)


def test_every_execution_begins_by_keeping_its_request():
    """No state leads back to KeepRequest, so that `request` holds the caller's input and nothing else."""
    first = DEFINITION["StartAt"]
    assert STATES[first] == {**STATES[first], "Type": "Pass", "ResultPath": "$.request"}
    assert STATES[first]["Next"] == "PlanRotation"
    assert "Result" not in STATES[first]
    following = [state.get(name) for state in STATES.values() for name in ("Next", "Default")]
    following += [rule["Next"] for state in STATES.values() for rule in state.get("Choices", ())]
    following += [rule["Next"] for state in STATES.values() for rule in state.get("Catch", ())]
    assert first not in following


@pytest.mark.parametrize("request_", [[], 7, "scheduled", None, [{"mode": "scheduled"}]])
def test_a_request_that_is_no_object_is_refused(booted, aws, cloud, request_):
    """AWS fails such an execution in its first state; other engines go on with it."""
    assert_refused(aws, cloud, plan_rotation, {"request": request_}, "request: ")


@pytest.mark.parametrize("request_", [GOOD, {**GOOD, "supersede": None}])
def test_a_documented_request_is_accepted(booted, request_):
    """The schedule's own input, also with an explicit null."""
    assert invoke(plan_rotation, started(request_))["outcome"] == "not_due"


STEP_INPUT = {**GOOD, "plan": PLAN, "standby": {"kid": KID}}


@pytest.mark.parametrize(
    "module", [create_key, publish_jwks, probe_key, activate_key, retire_key, destroy_key]
)
@pytest.mark.parametrize("field", ["started_by", "plan"])
def test_every_step_requires_its_fields(booted, aws, cloud, module, field):
    """A step that is invoked by hand with less is refused."""
    assert_refused(aws, cloud, module, without(STEP_INPUT, field), field)


@pytest.mark.parametrize(
    ("module", "changes", "field"),
    [
        (probe_key, {"standby": None}, "standby"),
        (probe_key, {"standby": {"outcome": "overtaken"}}, "standby.kid"),
        (activate_key, {"standby": None}, "standby"),
        (activate_key, {"standby": {"outcome": "overtaken"}}, "standby.kid"),
        (retire_key, {"plan": {**PLAN, "supersede": None}}, "plan.supersede"),
        (destroy_key, {"plan": {**PLAN, "supersede": None}}, "plan.supersede"),
    ],
)
def test_a_step_requires_the_kid_it_works_on(booted, aws, cloud, module, changes, field):
    """No step acts on "the current key", and a plan that superseded no key ends none."""
    assert_refused(aws, cloud, module, {**STEP_INPUT, **changes}, field)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("plan.op_id", {"plan": {**PLAN, "op_id": "x" * 65}}),
        ("plan.op_id", {"plan": {**PLAN, "op_id": "e30.e30 secret"}}),
        ("plan.reason", {"plan": {**PLAN, "reason": "secret" * 60}}),
        ("plan.supersede", {"plan": {**PLAN, "supersede": "secret"}}),
        ("started_by", {"started_by": "secret" * 60}),
    ],
)
def test_the_texts_in_a_steps_input_are_bounded(booted, aws, cloud, field, changes):
    """A step limits what it stores and signs, whichever principal invokes it."""
    assert_refused(aws, cloud, retire_key, {**STEP_INPUT, **changes}, field)


@pytest.mark.parametrize(
    ("results", "outcome", "op_id"),
    [({}, "not_due", "id-1"), ({"plan": PLAN}, "overtaken", "op-1")],
)
def test_the_plan_keeps_its_op_id(booted, results, outcome, op_id):
    """An execution that comes back to the plan continues as the same operation."""
    plan = invoke(plan_rotation, started(GOOD, **results))
    assert (plan["outcome"], plan["reason"]) == (outcome, "active_key_not_due")
    assert plan["op_id"] == op_id
