"""What only AWS can tell is judged by code that can say no: each item on answers of AWS, good and bad."""

import json
from collections.abc import Callable, Mapping
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

REST, HTTP = {"Stage": "rest1/v1"}, {"Stage": "http:http1/$default"}


def answering(monkeypatch: pytest.MonkeyPatch, **answers: Any) -> None:
    """Have every client answer so, call by call."""
    calls = {name: lambda answer=answer, **_: answer for name, answer in answers.items()}
    pages = {
        name: SimpleNamespace(paginate=lambda a=answer, **_: [a])
        for name, answer in answers.items()
    }
    client = SimpleNamespace(**calls, get_paginator=pages.__getitem__)
    monkeypatch.setattr(boto3, "client", lambda _service: client)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A stack that caches answers for 10 s, with an example of either kind of API."""
    monkeypatch.setattr(Account, "__init__", lambda _self: None)
    world = World(Order(STACK, ACCOUNT, False, ""), Account(), ACCOUNT)  # type: ignore[call-arg]
    outputs = {"ApiStage": "own1/v1", "StateMachineArn": "arn", "LogGroup": "logs"}
    world.deployment = SimpleNamespace(outputs=outputs)  # type: ignore[assignment]
    world.consumers = {"rest": REST, "http": HTTP}
    return world


def judged(check: Callable[[World], str], world: World) -> bool:
    """Whether the item holds."""
    try:
        check(world)
    except DoesNotHold:
        return False
    return True


def failure(error: str, cause: str) -> dict[str, Any]:
    """An event of an execution's history."""
    return {"lambdaFunctionFailedEventDetails": {"error": error, "cause": cause}}


@pytest.mark.parametrize(
    ("events", "holds"),
    [
        ([], True),
        ([failure("KeyNotReady", "NotFoundException")], True),
        ([failure("AwsFault", "kms:CreateKey: AccessDeniedException")], False),
        ([failure("AwsFault", "not authorized to perform: kms:TagResource")], False),
        ([failure("AwsFault", "MalformedPolicyDocumentException")], False),
    ],
)
def test_a_denied_creation_is_noticed(
    monkeypatch: pytest.MonkeyPatch, world: World, events: list[dict[str, Any]], holds: bool
) -> None:
    """A step that was repeated because a key was late is told, and no failure."""
    answering(
        monkeypatch,
        list_executions={"executions": [{"executionArn": "run"}]},
        describe_execution={"executionArn": "run"},
        get_execution_history={"events": events},
    )
    assert judged(stack.keys_are_created, world) is holds


@pytest.mark.parametrize(("starter", "holds"), [("schedule", True), ("cloudformation", False)])
def test_a_schedule_that_does_not_fire_is_noticed(
    monkeypatch: pytest.MonkeyPatch, world: World, starter: str, holds: bool
) -> None:
    """The bootstrap's own run is not the schedule's."""
    run = {
        "executionArn": "run",
        "status": "SUCCEEDED",
        "input": json.dumps({"started_by": starter}),
    }
    answering(monkeypatch, list_executions={"executions": [run]}, describe_execution=run)
    assert judged(stack.schedule_fires_at_once, world) is holds


@pytest.mark.parametrize(
    "line",
    [
        '{"level":"ERROR","message":"x"}',
        "[ERROR] KeyError: 'x'",
        "2026 Task timed out after 20.0 s",
    ],
)
def test_an_error_in_the_log_is_noticed(world: World, line: str) -> None:
    """Of our logger, of Lambda's runtime, of Lambda itself."""
    lines = ['{"level":"INFO","message":"no ERROR"}']
    world.deployment.log_lines = lambda containing: lines  # type: ignore[method-assign]
    assert judged(stack.starts_without_errors, world)
    lines.append(line)
    assert not judged(stack.starts_without_errors, world)


def test_a_log_group_that_lambda_made_is_noticed(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    """Under the name that Lambda gives it."""
    answering(monkeypatch, describe_log_groups={"logGroups": []})
    assert judged(stack.creates_no_log_groups, world)
    answering(monkeypatch, describe_log_groups={"logGroups": [{"logGroupName": "/aws/lambda/x"}]})
    assert not judged(stack.creates_no_log_groups, world)


@pytest.mark.parametrize(
    ("states", "holds"),
    [(["OK", "INSUFFICIENT_DATA"], True), (["OK", "ALARM"], False), ([], False)],
)
def test_an_alarm_is_noticed(
    monkeypatch: pytest.MonkeyPatch, world: World, states: list[str], holds: bool
) -> None:
    """And a stack without any alarm."""
    alarms = [{"AlarmName": state, "StateValue": state} for state in states]
    answering(monkeypatch, describe_alarms={"MetricAlarms": alarms})
    assert judged(stack.raises_no_alarm, world) is holds


@pytest.mark.parametrize(
    ("own", "rest", "http", "holds"),
    [(10, 0, 0, True), (300, 0, 0, False), (10, 300, 0, False), (10, 0, 300, False)],
)
def test_a_cache_that_lives_longer_than_told_is_noticed(
    monkeypatch: pytest.MonkeyPatch, world: World, own: int, rest: int, http: int, holds: bool
) -> None:
    """300 s is what API Gateway takes where it ignores what it was told."""
    ttls = {"own1": own, "rest1": rest, "http1": http}

    def get_authorizers(**api: str) -> Mapping[str, Any]:
        if "ApiId" in api:
            return {"Items": [{"AuthorizerResultTtlInSeconds": ttls[api["ApiId"]]}]}
        return {"items": [{"authorizerResultTtlInSeconds": ttls[api["restApiId"]]}]}

    client = SimpleNamespace(get_authorizers=get_authorizers)
    monkeypatch.setattr(boto3, "client", lambda _service: client)
    assert judged(apis.caches_as_told, world) is holds


@pytest.mark.parametrize(
    ("stages", "holds"),
    [
        (["own1/v1", "rest1/v1", "http:http1/$default"], True),
        (["own1/v1", "rest1/v1"], False),
        ([], False),
    ],
)
def test_a_cache_that_is_not_emptied_is_noticed(
    monkeypatch: pytest.MonkeyPatch, world: World, stages: list[str], holds: bool
) -> None:
    """Its own, and those of both examples."""
    world.rotation = SimpleNamespace(command={"execution": "run"})  # type: ignore[assignment]
    output = json.dumps({"flush": {"outcome": "flushed", "stages": stages}})
    answering(monkeypatch, describe_execution={"output": output})
    assert judged(keys.flushes_every_cache, world) is holds


def test_an_emergency_that_failed_is_noticed(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """It has a cause and no output."""
    world.rotation = SimpleNamespace(command={"execution": "run"})  # type: ignore[assignment]
    answering(monkeypatch, describe_execution={"status": "FAILED", "cause": "flush failed"})
    with pytest.raises(DoesNotHold, match="the emergency ended FAILED: flush failed"):
        keys.flushes_every_cache(world)


@pytest.mark.parametrize(("count", "holds"), [(1, True), (0, False)])
def test_a_redrive_without_effect_is_noticed(
    monkeypatch: pytest.MonkeyPatch, world: World, count: int, holds: bool
) -> None:
    """Step Functions counts them."""
    world.failed_execution = "run"
    answering(monkeypatch, redrive_execution={}, describe_execution={"redriveCount": count})
    assert judged(keys.failed_run_is_redriven, world) is holds


def test_a_message_that_does_not_come_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """And another one is not taken for it."""
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
