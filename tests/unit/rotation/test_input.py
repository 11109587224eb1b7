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

GOOD = {"mode": "scheduled", "started_by": "tests"}
PLAN = {"op_id": "op-1", "reason": "trying", "supersede": "k" * 43}


def without(event, name):
    """The event without one field."""
    return {field: value for field, value in event.items() if field != name}


@pytest.fixture
def refused(booted, invoke, aws, world):
    """Insist that the event is refused for this field; nothing is read, nothing is written."""

    def refused(module, event, field):
        before = world()
        with pytest.raises(InvalidEvent) as raised:
            invoke(module, event)
        assert str(raised.value).startswith(field)
        assert "secret" not in str(raised.value)
        assert aws.operations == []
        assert world() == before

    return refused


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
        ({**GOOD, "plan": {"op_id": "op-1"}}, "plan.reason"),
        ({}, "mode"),
    ],
)
def test_an_execution_starts_with_what_is_understood_only(refused, event, field):
    """PlanRotation is the first state: a typing error ends the execution there."""
    refused(plan_rotation, event, field)


@pytest.mark.parametrize("event", [GOOD, {**GOOD, "supersede": None}])
def test_the_documented_inputs_are_understood(booted, invoke, event):
    """The schedule's own input, and one without a kid to supersede."""
    assert invoke(plan_rotation, event)["outcome"] == "not_due"


@pytest.mark.parametrize(
    "module", [create_key, publish_jwks, probe_key, activate_key, retire_key, destroy_key]
)
@pytest.mark.parametrize("field", ["started_by", "plan"])
def test_every_step_wants_its_own_fields(refused, module, field):
    """A step that is started by hand with less is refused."""
    standby = {"standby": {"kid": "k" * 43}}
    refused(module, without({**GOOD, "plan": PLAN, **standby}, field), field)


@pytest.mark.parametrize("module", [probe_key, activate_key])
def test_steps_of_a_standby_want_its_kid(refused, module):
    """They never act on "the current one"."""
    refused(module, {**GOOD, "plan": PLAN}, "standby")
    refused(module, {**GOOD, "plan": PLAN, "standby": {"outcome": "overtaken"}}, "standby.kid")


@pytest.mark.parametrize("module", [retire_key, destroy_key])
def test_steps_of_a_superseded_key_want_its_kid(refused, module):
    """A plan that superseded nobody retires and destroys nobody."""
    refused(module, {**GOOD, "plan": {**PLAN, "supersede": None}}, "plan.supersede")


@pytest.mark.parametrize(
    ("event", "idle"), [(GOOD, "not_due"), ({**GOOD, "plan": PLAN}, "overtaken")]
)
def test_the_plan_keeps_its_op_id(booted, invoke, event, idle):
    """It is minted once; a run that comes back to the plan goes on as the same operation."""
    planned = invoke(plan_rotation, event)
    assert (planned["outcome"], planned["reason"]) == (idle, "active_key_not_due")
    assert planned["op_id"] == ("op-1" if "plan" in event else "id-1")
