"""Each item of a conformance run, on good and on bad answers of AWS: an item must be able to fail."""

import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tests.unit.conformance.conftest import ACCOUNT, STACK
from tools.conformance import apis, keys, stack
from tools.conformance.items import World
from tools.conformance.listener import Listener
from tools.conformance.order import Order
from tools.conformance.place import Account
from tools.demo.story import DoesNotHold

STAGES = ["own1/v1", "rest1/v1", "http:http1/$default"]
Answers = dict[str, Any]


def answering(monkeypatch: pytest.MonkeyPatch, **answers: Any) -> None:
    """Have every client answer each call so."""
    calls = {name: lambda answer=answer, **_: answer for name, answer in answers.items()}
    pages = {
        name: SimpleNamespace(paginate=lambda a=answer, **_: [a])
        for name, answer in answers.items()
    }
    client = SimpleNamespace(**calls, get_paginator=pages.__getitem__)
    monkeypatch.setattr(boto3, "client", lambda _service: client)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A stack that caches answers for 10 s, with an example of either kind of API, after an emergency."""
    monkeypatch.setattr(Account, "__init__", lambda _self: None)
    world = World(Order(STACK, ACCOUNT, False, ""), Account(), ACCOUNT)  # type: ignore[call-arg]
    own, rest, http = STAGES
    outputs = {"ApiStage": own, "StateMachineArn": "arn", "LogGroup": "logs"}
    world.deployment = SimpleNamespace(outputs=outputs)  # type: ignore[assignment]
    world.consumers = {"rest": {"Stage": rest}, "http": {"Stage": http}}
    world.rotation = SimpleNamespace(command={"execution": "run"})  # type: ignore[assignment]
    world.failed_execution = "run"
    return world


def run_with(*causes: str) -> Answers:
    """An execution whose steps failed so, and were repeated."""
    failures = [{"error": "AwsFault", "cause": cause} for cause in causes]
    events = [{"lambdaFunctionFailedEventDetails": failure} for failure in failures]
    return {
        "list_executions": {"executions": [{"executionArn": "run"}]},
        "describe_execution": {"executionArn": "run"},
        "get_execution_history": {"events": events},
    }


def run_by(starter: str) -> Answers:
    """An execution that somebody started."""
    text = json.dumps({"started_by": starter})
    run = {"executionArn": "run", "status": "SUCCEEDED", "input": text}
    return {"list_executions": {"executions": [run]}, "describe_execution": run}


def alarms(*states: str) -> Answers:
    """Alarms in these states."""
    described = [{"AlarmName": state, "StateValue": state} for state in states]
    return {"describe_alarms": {"MetricAlarms": described}}


def flush_of(*stages: str) -> Answers:
    """An emergency that flushed these stages."""
    flush = {"outcome": "flushed", "stages": stages}
    return {"describe_execution": {"output": json.dumps({"flush": flush})}}


def redrives(count: int) -> Answers:
    """A run that was redriven so often."""
    return {"redrive_execution": {}, "describe_execution": {"redriveCount": count}}


FOREIGN_GROUP = {"logGroups": [{"logGroupName": "/aws/lambda/x"}]}


@pytest.mark.parametrize(
    ("check", "answers", "holds"),
    [
        (stack.keys_are_created, run_with(), True),
        (stack.keys_are_created, run_with("NotFoundException"), True),
        (stack.keys_are_created, run_with("kms:CreateKey: AccessDeniedException"), False),
        (stack.keys_are_created, run_with("not authorized to perform: kms:TagResource"), False),
        (stack.keys_are_created, run_with("MalformedPolicyDocumentException"), False),
        (stack.schedule_fires_at_once, run_by("schedule"), True),
        (stack.schedule_fires_at_once, run_by("cloudformation"), False),
        (stack.creates_no_log_groups, {"describe_log_groups": {"logGroups": []}}, True),
        (stack.creates_no_log_groups, {"describe_log_groups": FOREIGN_GROUP}, False),
        (stack.raises_no_alarm, alarms("OK", "INSUFFICIENT_DATA"), True),
        (stack.raises_no_alarm, alarms("OK", "ALARM"), False),
        (stack.raises_no_alarm, alarms(), False),
        (keys.flushes_every_cache, flush_of(*STAGES), True),
        (keys.flushes_every_cache, flush_of(*STAGES[:2]), False),
        (keys.flushes_every_cache, flush_of(), False),
        (keys.failed_run_is_redriven, redrives(1), True),
        (keys.failed_run_is_redriven, redrives(0), False),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_item_notices(
    monkeypatch: pytest.MonkeyPatch, world: World, check: Any, answers: Answers, holds: bool
) -> None:
    """An item holds on the answers of a healthy stack, and fails on others."""
    answering(monkeypatch, **answers)
    assert is_held(check, world) is holds


def is_held(check: Any, world: World) -> bool:
    """Whether the item holds."""
    try:
        check(world)
    except DoesNotHold:
        return False
    return True


@pytest.mark.parametrize(
    "line",
    [
        '{"level":"ERROR","message":"x"}',
        "[ERROR] KeyError: 'x'",
        "2026 Task timed out after 20.0 s",
    ],
)
def test_an_error_in_the_log_is_noticed(world: World, line: str) -> None:
    """A line of our logger, of Lambda's runtime or of Lambda itself that reports an error fails the item."""
    lines = ['{"level":"INFO","message":"no ERROR"}']
    world.deployment.log_lines = lambda containing: lines  # type: ignore[method-assign]
    assert is_held(stack.starts_without_errors, world)
    lines.append(line)
    assert not is_held(stack.starts_without_errors, world)


@pytest.mark.parametrize(
    ("own", "rest", "http", "holds"),
    [(10, 0, 0, True), (300, 0, 0, False), (10, 300, 0, False), (10, 0, 300, False)],
)
def test_a_cache_that_lives_too_long_is_noticed(
    monkeypatch: pytest.MonkeyPatch, world: World, own: int, rest: int, http: int, holds: bool
) -> None:
    """The item fails if any API caches for 300 s, API Gateway's default where it ignores the setting."""
    ttls = {"own1": own, "rest1": rest, "http1": http}

    def get_authorizers(**api: str) -> Answers:
        if "ApiId" in api:
            return {"Items": [{"AuthorizerResultTtlInSeconds": ttls[api["ApiId"]]}]}
        return {"items": [{"authorizerResultTtlInSeconds": ttls[api["restApiId"]]}]}

    client = SimpleNamespace(get_authorizers=get_authorizers)
    monkeypatch.setattr(boto3, "client", lambda _service: client)
    assert is_held(apis.caches_as_told, world) is holds


def test_an_emergency_that_failed_is_noticed(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """A failed emergency has a cause and no output, and the item says the cause."""
    answering(monkeypatch, describe_execution={"status": "FAILED", "cause": "flush failed"})
    with pytest.raises(DoesNotHold, match="the emergency ended FAILED: flush failed"):
        keys.flushes_every_cache(world)


def test_a_message_that_does_not_come_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener does not take another message for the one it waits for."""
    body = json.dumps({"detail-type": "KeyRevoked", "detail": {"stack": "another"}})
    queue = [{"Body": body, "ReceiptHandle": "x"}]
    client = SimpleNamespace(
        receive_message=lambda **_: {"Messages": [queue[0]]} if queue else {},
        delete_message=lambda **_: queue.pop(),
    )
    monkeypatch.setattr(boto3, "client", lambda _service: client)
    listener = Listener("queue")
    listener.wait_for(lambda message: message["detail"]["stack"] == "another", "it", 0)
    with pytest.raises(DoesNotHold, match="it was not delivered"):
        listener.wait_for(lambda message: message["detail"]["stack"] == STACK, "it", 0)
