"""Executions: followed while the stack lives, stopped when it goes."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from keyturn.aws.executions import UNKNOWN, ExecutionRequest, Executions
from keyturn.aws.faults import Throttled
from tests.cloud.states import StatesClient
from tests.mutations import STRANGE, mutations
from tests.unit.stage import START

EVENT = {"mode": "scheduled", "started_by": "tests"}
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:rotation"


@pytest.fixture
def running(clients, aws) -> list[SimpleNamespace]:
    """The executions that were started, and run until a test ends them."""
    runs = []

    def start(_input):
        runs.append(SimpleNamespace(over=False, failure=None))
        return runs[-1]

    clients.states = StatesClient(aws, START, start)
    return runs


def test_an_execution_is_started_with_its_input(stack, running, clients):
    """Each under a name of its own, that says what it is and when it was started."""
    first, second = (stack.executions.start(MACHINE, EVENT) for _ in range(2))
    assert first != second
    name = first.rpartition(":")[2]
    assert name.startswith(stack.clock.now().strftime("scheduled-%Y%m%dT%H%M%SZ-"))
    assert len(name) <= 80  # Step Functions API Reference, StartExecution
    assert json.loads(clients.states.describe_execution(executionArn=first)["input"]) == EVENT
    assert stack.executions.status(first) == "RUNNING"


@pytest.mark.parametrize(
    ("described", "cause"), [({"cause": "no keys"}, "no keys"), ({}, "no cause is given")]
)
def test_the_cause_of_a_failure_is_told(clock, described, cause):
    """In Step Functions' own words or that there are none."""
    states = SimpleNamespace(describe_execution=lambda **_: described)
    clients: Any = SimpleNamespace(states=states)
    assert Executions(clients, clock).cause("arn") == cause


def test_all_that_runs_is_stopped(stack, running):
    """Only of this state machine, and only what still runs."""
    arns = [stack.executions.start(MACHINE, EVENT) for _ in range(3)]
    running[0].over = True
    stranger = stack.executions.start(f"{MACHINE}-other", EVENT)
    stack.executions.stop_all(MACHINE)
    assert [stack.executions.status(arn) for arn in arns] == ["SUCCEEDED", "ABORTED", "ABORTED"]
    assert stack.executions.status(stranger) == "RUNNING"


def test_trouble_is_translated(stack, running, aws):
    """As everywhere."""
    aws.fail("states:StartExecution", aws.error("ThrottlingException"))
    with pytest.raises(Throttled, match="states:StartExecution"):
        stack.executions.start(MACHINE, EVENT)


KID = "k" * 43
_TEXTS = [value for value in STRANGE if isinstance(value, str) and 0 < len(value) <= 256]
EMERGENCY = {"mode": "emergency", "kids": [KID], "reason": "leaked", "started_by": "alice"}


def test_what_the_workflow_accepts_is_understood(stack, running):
    """The mode, who started it, and in an emergency the kids."""
    execution = stack.executions.start(MACHINE, EMERGENCY)
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
