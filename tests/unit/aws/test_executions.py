"""Executions: followed while the stack lives, stopped when it goes."""

import json
from types import SimpleNamespace

import pytest

from keyturn.aws.executions import Executions
from keyturn.aws.faults import Throttled

EVENT = {"mode": "scheduled", "started_by": "tests"}
ROLE = "arn:aws:iam::123456789012:role/states"
DEFINITION = {"StartAt": "End", "States": {"End": {"Type": "Wait", "Seconds": 1, "End": True}}}


@pytest.fixture
def machine(aws, backdoor) -> str:
    """A state machine whose executions run until they are stopped (moto runs none of them)."""
    made = backdoor.stepfunctions.create_state_machine(
        name="rotation", definition=json.dumps(DEFINITION), roleArn=ROLE
    )
    return made["stateMachineArn"]


def test_an_execution_is_started_with_its_input(stack, machine, backdoor):
    """Each under a name of its own, that says what it is and when it was started."""
    first, second = (stack.executions.start(machine, EVENT) for _ in range(2))
    assert first != second
    name = first.rpartition(":")[2]
    assert name.startswith(stack.clock.now().strftime("scheduled-%Y%m%dT%H%M%SZ-"))
    assert len(name) <= 80  # Step Functions API Reference, StartExecution
    described = backdoor.stepfunctions.describe_execution(executionArn=first)
    assert json.loads(described["input"]) == EVENT
    assert stack.executions.status(first) == "RUNNING"


@pytest.mark.parametrize(
    ("described", "cause"), [({"cause": "no keys"}, "no keys"), ({}, "no cause is given")]
)
def test_the_cause_of_a_failure_is_told(clock, described, cause):
    """In Step Functions' own words (moto has none), or that there are none."""
    states = SimpleNamespace(describe_execution=lambda **_: described)
    assert Executions(SimpleNamespace(states=states), clock).cause("arn") == cause


def test_all_that_runs_is_stopped(stack, machine, backdoor):
    """Only of this state machine, and only what still runs."""
    running = [stack.executions.start(machine, EVENT) for _ in range(3)]
    backdoor.stepfunctions.stop_execution(executionArn=running[0])
    other = backdoor.stepfunctions.create_state_machine(
        name="other", definition=json.dumps(DEFINITION), roleArn=ROLE
    )
    stranger = stack.executions.start(other["stateMachineArn"], EVENT)
    stack.executions.stop_all(machine)
    assert {stack.executions.status(arn) for arn in running} == {"ABORTED"}
    assert stack.executions.status(stranger) == "RUNNING"


def test_trouble_is_translated(stack, machine, aws):
    """As everywhere."""
    aws.fail("sfn:StartExecution", aws.error("ThrottlingException"))
    with pytest.raises(Throttled, match="states:StartExecution"):
        stack.executions.start(machine, EVENT)
