"""Executions: started, followed, stopped, and what their inputs request."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from keyturn.aws.executions import UNKNOWN, ExecutionRequest, Executions
from keyturn.aws.faults import Throttled
from tests.cloud.states import StatesClient
from tests.mutations import STRANGE, mutations
from tests.unit.stage import START

KID = "k" * 43
SCHEDULED = {"mode": "scheduled", "started_by": "tests"}
EMERGENCY = {"mode": "emergency", "kids": [KID], "reason": "leaked", "started_by": "alice"}
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:rotation"


@pytest.fixture
def runs(clients, aws) -> list[SimpleNamespace]:
    """The executions that were started; each runs until a test ends it."""
    runs = []

    def start(_input):
        runs.append(SimpleNamespace(over=False, failure=None))
        return runs[-1]

    clients.states = StatesClient(aws, START, start)
    return runs


def parse(members: Any) -> ExecutionRequest:
    """The request in an input."""
    return ExecutionRequest.parse(json.dumps(members))


def test_an_execution_is_started_with_its_input(stack, runs, clients):
    """Each has its own name, which says what it is and when it was started."""
    first, second = (stack.executions.start(MACHINE, SCHEDULED) for _ in range(2))
    assert first != second
    name = first.rpartition(":")[2]
    assert name.startswith(stack.clock.now().strftime("scheduled-%Y%m%dT%H%M%SZ-"))
    assert len(name) <= 80  # Step Functions API Reference, StartExecution
    assert json.loads(clients.states.describe_execution(executionArn=first)["input"]) == SCHEDULED
    assert stack.executions.status(first) == "RUNNING"


@pytest.mark.parametrize(
    ("description", "cause"), [({"cause": "no keys"}, "no keys"), ({}, "no cause is given")]
)
def test_the_cause_of_a_failure_is_step_functions_own(clock, description, cause):
    """There may be none."""
    states = SimpleNamespace(describe_execution=lambda **_: description)
    clients: Any = SimpleNamespace(states=states)
    assert Executions(clients, clock).cause("arn") == cause


def test_all_running_executions_are_stopped(stack, runs):
    """Ended ones, and those of other state machines, are not affected."""
    arns = [stack.executions.start(MACHINE, SCHEDULED) for _ in range(3)]
    runs[0].over = True
    other = stack.executions.start(f"{MACHINE}-other", SCHEDULED)
    stack.executions.stop_all(MACHINE)
    assert [stack.executions.status(arn) for arn in arns] == ["SUCCEEDED", "ABORTED", "ABORTED"]
    assert stack.executions.status(other) == "RUNNING"


def test_an_error_of_step_functions_is_a_fault(stack, runs, aws):
    """It names the call."""
    aws.fail("states:StartExecution", aws.error("ThrottlingException"))
    with pytest.raises(Throttled, match="states:StartExecution"):
        stack.executions.start(MACHINE, SCHEDULED)


def test_a_valid_input_is_parsed(stack, runs):
    """It has the mode, who started it, and in an emergency the kids."""
    request = stack.executions.read_request(stack.executions.start(MACHINE, EMERGENCY))
    assert request == ExecutionRequest("emergency", "alice", (KID,), is_valid=True)
    assert request.is_emergency
    assert parse(SCHEDULED) == ExecutionRequest("scheduled", "tests", (), is_valid=True)


@pytest.mark.parametrize(
    ("members", "cutoffs"),
    [
        ({"cut_off": {"sub": ["d1", "d2"]}}, {("sub", "d1"), ("sub", "d2")}),
        ({"block": ["d1"]}, {("client_id", "d1")}),
        ({"release": ["d1"]}, set()),
    ],
)
def test_an_emergency_may_name_no_kid(members, cutoffs):
    """It then cuts off, blocks or releases; a release leaves no cut-off to look for."""
    request = parse({"mode": "emergency", "started_by": "ann", **members})
    assert (request.is_valid, request.cutoffs) == (True, cutoffs)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", "null", '"emergency"', "[" * 100_000, "9" * 5_000, '{"mode":' * 50_000],
    ids=lambda text: text[:12],
)
def test_an_input_that_is_no_object_is_unknown(text):
    """Step Functions accepts any JSON, however deeply nested."""
    assert ExecutionRequest.parse(text) == ExecutionRequest(UNKNOWN, UNKNOWN, (), is_valid=False)


@pytest.mark.parametrize("value", STRANGE, ids=lambda value: ascii(value)[:20])
@pytest.mark.parametrize("member", ["mode", "started_by"])
def test_a_strange_text_is_unknown(member, value):
    """The other members are read; only texts of up to 256 characters count."""
    request = parse({**EMERGENCY, member: value})
    is_text = isinstance(value, str) and 0 < len(value) <= 256
    expected = {"mode": "emergency", "started_by": "alice"}
    assert (getattr(request, member) == UNKNOWN) is not is_text
    del expected[member]
    assert all(getattr(request, name) == text for name, text in expected.items())
    assert request.kids == (KID,)
    assert request.is_emergency is (member != "mode")
    assert request.is_valid is (member == "started_by" and is_text)


@pytest.mark.parametrize("value", STRANGE, ids=lambda value: ascii(value)[:20])
def test_strange_kids_are_no_kids(value):
    """An emergency that names no kid cannot have revoked any key."""
    request = parse({**EMERGENCY, "kids": value})
    kids = ("x",) if value == ["x"] else ()
    assert (request.mode, request.started_by, request.kids) == ("emergency", "alice", kids)
    assert request.is_emergency is request.is_valid is bool(kids)


def test_any_mutation_of_an_input_is_parsed():
    """The texts can be written to a terminal, a page or a file; their lengths are bounded."""
    for mutated in mutations(EMERGENCY, seed=15, count=2_000):
        request = parse(mutated)
        for text in (request.mode, request.started_by, *request.kids):
            assert 0 < len(text.encode()) <= 4 * 256
        assert request.is_valid or mutated != EMERGENCY
