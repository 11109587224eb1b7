"""Executions: followed while the stack lives, stopped when it goes."""

import json
from types import SimpleNamespace

import pytest

from keyturn.aws.executions import UNKNOWN, ExecutionRequest, Executions
from keyturn.aws.faults import Throttled
from tests.mutations import STRANGE, mutations

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


KID = "k" * 43
_TEXTS = [value for value in STRANGE if isinstance(value, str) and 0 < len(value) <= 256]
EMERGENCY = {"mode": "emergency", "kids": [KID], "reason": "leaked", "started_by": "alice"}


def test_what_the_workflow_accepts_is_understood(stack, machine):
    """The mode, who started it, and in an emergency the kids."""
    execution = stack.executions.start(machine, EMERGENCY)
    request = stack.executions.read_request(execution)
    assert request == ExecutionRequest("emergency", "alice", (KID,), is_valid=True)
    assert request.is_emergency
    assert ExecutionRequest.parse(json.dumps(EVENT)) == ExecutionRequest(
        "scheduled", "tests", (), is_valid=True
    )


@pytest.mark.parametrize(
    ("members", "cutoffs"),
    [
        ({"cut_off": {"sub": ["d1", "d2"]}}, {("sub", "d1"), ("sub", "d2")}),
        ({"block": ["d1"]}, {("client_id", "d1")}),
        ({"release": ["d1"]}, set()),
    ],
)
def test_an_emergency_of_tokens_alone_is_understood(members, cutoffs):
    """It names no kid; a release has nothing that must be there afterwards."""
    request = ExecutionRequest.parse(
        json.dumps({"mode": "emergency", "started_by": "ann", **members})
    )
    assert (request.is_valid, request.cutoffs) == (True, cutoffs)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", "null", '"emergency"', "[" * 100_000, "9" * 5_000, '{"mode":' * 50_000],
    ids=lambda text: text[:12],
)
def test_an_input_that_is_no_object_says_nothing(text):
    """Anybody may start an execution with any JSON, and nested as deep as they like."""
    assert ExecutionRequest.parse(text) == ExecutionRequest(UNKNOWN, UNKNOWN, (), is_valid=False)


@pytest.mark.parametrize("value", STRANGE, ids=lambda value: ascii(value)[:20])
@pytest.mark.parametrize("member", ["mode", "started_by", "kids"])
def test_a_member_of_another_type_is_unknown(member, value):
    """The others are there; an emergency that names no kid is none whose keys could be out."""
    request = ExecutionRequest.parse(json.dumps({**EMERGENCY, member: value}))
    is_text = value in _TEXTS
    assert (request.mode == "emergency") is (member != "mode")
    assert (request.mode == UNKNOWN) is (member == "mode" and not is_text)
    assert (request.started_by == UNKNOWN) is (member == "started_by" and not is_text)
    assert request.kids == ((KID,) if member != "kids" else ("x",) if value == ["x"] else ())
    assert request.is_valid is (
        value == ["x"]
        if member == "kids"
        else request.is_emergency and request.started_by != UNKNOWN
    )
    assert request.is_emergency is (request.mode == "emergency" and request.kids != ())


def test_an_input_of_any_shape_is_read():
    """Whatever is read can be written to a terminal, a page or a file; the texts are of bounded length."""
    for mutated in mutations(EMERGENCY, seed=15, count=2_000):
        request = ExecutionRequest.parse(json.dumps(mutated))
        for text in (request.mode, request.started_by, *request.kids):
            assert 0 < len(text.encode()) <= 4 * 256
        assert request.is_valid or mutated != EMERGENCY
