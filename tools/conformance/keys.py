"""A rotation under load with an emergency in it, and the events and alarms that report them."""

import json
from functools import partial
from typing import Any

import boto3

from tools.conformance.items import Item, NotReady, World
from tools.conformance.stack import stack_alarms
from tools.demo.rotation import Rotation
from tools.demo.story import hold

_EVENT_SECONDS = 120
_ALARM_SECONDS = 420  # an alarm's period, its evaluation and delivery
_EVENTS = ("KeyPublished", "KeyActivated", "KeyRevoked", "KeyRetired")


def rotates(world: World) -> str:
    """No valid token is refused while the key is rotated and the new one revoked."""
    world.rotation = Rotation(world.deployment)
    says = world.rotation.run()
    tally = world.rotation.client.tally
    world.figures["tokens"] = tally.issued.total()
    world.figures["calls"] = tally.accepted.total() + len(tally.refused)
    return says


def flushes_every_cache(world: World) -> str:
    """The emergency emptied the caches of both kinds of API."""
    if "execution" not in world.rotation.command:
        raise NotReady("no emergency was started")
    run = boto3.client("stepfunctions").describe_execution(
        executionArn=world.rotation.command["execution"]
    )
    hold("output" in run, f"the emergency ended {run.get('status')}: {run.get('cause')}")
    flushed = set(json.loads(run["output"])["flush"]["stages"])
    expected = {outputs["Stage"] for outputs in world.consumers.values()}
    if int(str(world.place.parameters["ResultTtl"])):
        expected.add(world.deployment.outputs["ApiStage"])
    hold(flushed == expected, f"flushed {sorted(flushed)}, not {sorted(expected)}")
    return f"{len(flushed)} stages"


def events_are_delivered(world: World) -> str:
    """What happened to the keys came through EventBridge and the topic to the queue."""
    world.place.announce_changes(world.deployment)

    def is_of(detail_type: str, message: dict[str, Any]) -> bool:
        is_own = message.get("detail", {}).get("stack") == world.order.stack
        return is_own and message.get("detail-type") == detail_type

    for name in _EVENTS:
        world.listener.wait_for(partial(is_of, name), name, _EVENT_SECONDS)
    return f"{', '.join(_EVENTS)}, by SNS"


def alarm_is_delivered(world: World) -> str:
    """An alarm that is set by hand comes through the topic."""
    name = _alarm(world, "AuthorizerFaulty")
    boto3.client("cloudwatch").set_alarm_state(
        AlarmName=name, StateValue="ALARM", StateReason="keyturn conformance"
    )
    _wait_for_alarm(world, name, _EVENT_SECONDS)
    return name


def failure_raises_the_alarm(world: World) -> str:
    """An execution that fails raises ExecutionFailed by itself."""
    execution = world.deployment.start({"mode": "scheduled", "started_by": "", "kids": []})
    world.failed_execution = execution
    name = _alarm(world, "ExecutionFailed")
    _wait_for_alarm(world, name, _ALARM_SECONDS)
    hold(world.deployment.executions.status(execution) == "FAILED", "the execution did not fail")
    return name


def failed_run_is_redriven(world: World) -> str:
    """Step Functions takes a failed run up again; the same input fails again."""
    states, execution = boto3.client("stepfunctions"), world.failed_execution
    states.redrive_execution(executionArn=execution)
    count = states.describe_execution(executionArn=execution).get("redriveCount")
    hold(count == 1, f"redriveCount is {count}")
    return "RedriveExecution was accepted"


def _alarm(world: World, logical_id: str) -> str:
    [name] = [a["AlarmName"] for a in stack_alarms(world) if logical_id in a["AlarmName"]]
    return str(name)


def _wait_for_alarm(world: World, name: str, seconds: float) -> None:
    world.listener.wait_for(
        lambda m: m.get("AlarmName") == name and m.get("NewStateValue") == "ALARM", name, seconds
    )


KEYS = (
    Item("rotation", "The key is rotated under load", rotates),
    Item(
        "revocation",
        "A revocation is proved within its bound",
        lambda world: world.rotation.revoked(),
    ),
    Item("clean_up", "Ended keys go", lambda world: world.rotation.cleans_up()),
    Item("flush", "An emergency empties every cache", flushes_every_cache, aws_only=True),
    Item("events", "Key events reach the topic", events_are_delivered),
)
ALARMS = (
    Item("alarm", "An alarm reaches the topic", alarm_is_delivered),
    Item("failure", "A failed run raises its alarm", failure_raises_the_alarm, aws_only=True),
    Item("redrive", "A failed run can be redriven", failed_run_is_redriven, aws_only=True),
)
