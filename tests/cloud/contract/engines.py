"""The engines that replay traces, and how the results of their Tasks are supplied."""

import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import unquote

import boto3
from botocore.config import Config
from types_boto3_stepfunctions import SFNClient

from tests.cloud.contract.replays import STEPS, Replay, definition
from tests.cloud.contract.traces import ABORTED, SUCCEEDED, Call, Trace

_ROLE = "arn:aws:iam::000000000000:role/rotation"
_PATIENCE = 30.0  # seconds
_CONFIG = Config(
    region_name="us-east-1",
    read_timeout=_PATIENCE,
    retries={"total_max_attempts": 1},
    max_pool_connections=50,
)


def client(endpoint: str) -> SFNClient:
    """Step Functions behind an endpoint."""
    return boto3.client("stepfunctions", endpoint_url=endpoint, config=_CONFIG)


def by_activities(states: SFNClient, name: str, trace: Trace) -> Replay:
    """Replay on an engine with activities: each step is one, and we are its worker."""
    activities = {
        step: states.create_activity(name=f"{name}-{step}")["activityArn"] for step in STEPS
    }
    execution = _start(states, name, definition(activities, trace.entered[0]), trace)
    inputs = []
    for call in trace.calls:
        work = states.get_activity_task(activityArn=activities[call.task.step])
        inputs.append((call.task.step, json.loads(work["input"])))
        if call.failure:
            error, cause = call.failure.error, call.failure.cause
            states.send_task_failure(taskToken=work["taskToken"], error=error, cause=cause)
        else:
            output = json.dumps(call.outcome)
            states.send_task_success(taskToken=work["taskToken"], output=output)
    return _ended(states, execution, trace, inputs)


class LambdaStub(ThreadingHTTPServer):
    """Lambda's Invoke on loopback: each trace has its own functions, which answer with its calls."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Invoke)
        self.closing = Event()
        self.answers: dict[str, deque[Call]] = {}
        self.inputs: dict[str, list[tuple[str, Any]]] = {}

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.server_port}"


class _Invoke(BaseHTTPRequestHandler):
    server: LambdaStub

    def do_POST(self) -> None:
        """Record the input and send the next answer; if there is none, hang until the end."""
        name, _, step = unquote(self.path).split("/")[3].rpartition(":")[2].rpartition("-")
        size = int(self.headers["Content-Length"])
        self.server.inputs[name].append((step, json.loads(self.rfile.read(size))))
        if not self.server.answers[name]:
            self.server.closing.wait()
            return
        call = self.server.answers[name].popleft()
        self.send_response(200)
        outcome: Any = call.outcome
        if call.failure:
            self.send_header("X-Amz-Function-Error", "Unhandled")
            outcome = {"errorType": call.failure.error, "errorMessage": call.failure.cause}
        body = json.dumps(outcome).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


@contextmanager
def lambda_stub() -> Iterator[LambdaStub]:
    """A running stub."""
    stub = LambdaStub()
    thread = Thread(target=stub.serve_forever)
    thread.start()
    try:
        yield stub
    finally:
        stub.closing.set()
        stub.shutdown()
        stub.server_close()
        thread.join()


def by_lambda(stub: LambdaStub, states: SFNClient, name: str, trace: Trace) -> Replay:
    """Replay on an engine whose Lambda endpoint is our stub."""
    stub.answers[name], stub.inputs[name] = deque(trace.calls), []
    functions = {
        step: f"arn:aws:lambda:us-east-1:000000000000:function:{name}-{step}" for step in STEPS
    }
    execution = _start(states, name, definition(functions, trace.entered[0]), trace)
    return _ended(states, execution, trace, stub.inputs[name])


def _start(states: SFNClient, name: str, text: str, trace: Trace) -> str:
    machine = states.create_state_machine(name=name, definition=text, roleArn=_ROLE)
    arn = machine["stateMachineArn"]
    return states.start_execution(stateMachineArn=arn, input=json.dumps(trace.event))[
        "executionArn"
    ]


def _ended(states: SFNClient, execution: str, trace: Trace, inputs: list[Any]) -> Replay:
    """Wait until it ends; stop it where its trace was aborted."""
    if trace.status == ABORTED:
        _await(lambda: _entered(states, execution) == trace.entered)
        states.stop_execution(executionArn=execution)
    _await(lambda: states.describe_execution(executionArn=execution)["status"] != "RUNNING")
    description = states.describe_execution(executionArn=execution)
    output = json.loads(description["output"]) if description["status"] == SUCCEEDED else None
    answered = inputs[: len(trace.calls)] if trace.status == ABORTED else inputs
    return Replay(_entered(states, execution), answered, description["status"], output)


def _await(true: Callable[[], bool]) -> None:
    """Wait until it is true, or give up: the comparison afterwards shows what is wrong."""
    deadline = time.monotonic() + _PATIENCE
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)


def _entered(states: SFNClient, execution: str) -> list[str]:
    pages = states.get_paginator("get_execution_history").paginate(executionArn=execution)
    details = (event.get("stateEnteredEventDetails") for page in pages for event in page["events"])
    return [detail["name"] for detail in details if detail]
