"""A new stack is healthy: it has its keys, and no errors, alarms or unexpected log groups."""

import json
from collections import Counter
from typing import Any

import boto3

from tools.conformance.items import Item, World
from tools.conformance.listener import Listener
from tools.demo import story
from tools.demo.story import hold

_DENIALS = ("AccessDenied", "not authorized", "MalformedPolicy")
_ERROR_MARKS = (
    *('"level":"ERROR"', '"level":"CRITICAL"', '"status":"timeout"'),
    *("[ERROR]", "Task timed out"),
)


def deploys(world: World) -> str:
    """The template as a user deploys it."""
    world.place.build()
    stack = world.order.stack
    world.created.append(stack)
    world.deployment = world.place.deploy(stack, world.place.parameters)
    alerts = f"{stack}-alerts"
    world.created.append(alerts)
    world.listener = Listener.deploy(alerts, world.deployment.outputs["AlertTopicArn"])
    return f"sam build and sam deploy as documented, on {world.place.name}; the transforms were accepted"


def keys_are_created(world: World) -> str:
    """CreateKey with its tag, under the role's conditions: no denial, and few repetitions."""
    failures: Counter[str] = Counter()
    for execution in executions(world):
        for event in history(execution["executionArn"]):
            for name in ("lambdaFunctionFailedEventDetails", "taskFailedEventDetails"):
                if details := event.get(name):
                    cause = f"{details.get('error')}: {details.get('cause', '')}"
                    hold(not any(denial in cause for denial in _DENIALS), cause)
                    failures[str(details.get("error"))] += 1
    repeated = ", ".join(f"{count} × {error}" for error, count in failures.items()) or "none"
    return f"no call was denied; steps that had to be repeated: {repeated}"


def schedule_fires_at_once(world: World) -> str:
    """A rate schedule without a start date starts a run at its creation, which finds nothing due."""
    started = [
        run for run in executions(world) if json.loads(run["input"])["started_by"] == "schedule"
    ]
    hold(bool(started), "the schedule has not started a run")
    return f"{len(started)} run by the schedule, {started[0]['status']}"


def starts_without_errors(world: World) -> str:
    """No line of the stack's functions says ERROR or worse."""
    lines = world.deployment.log_lines("")
    errors = [line for line in lines if any(mark in line for mark in _ERROR_MARKS)]
    hold(not errors, f"{len(errors)} lines, first: {errors[:1]}")
    return f"{len(lines)} lines, none of an error"


def creates_no_log_groups(world: World) -> str:
    """The functions write to the stack's own group and make no other."""
    prefix = f"/aws/lambda/{world.order.stack}-"
    groups = boto3.client("logs").describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
    hold(not groups, f"{[group['logGroupName'] for group in groups]}")
    return f"only {world.deployment.outputs['LogGroup']}"


def raises_no_alarm(world: World) -> str:
    """Each of the stack's alarms exists, and none is in ALARM."""
    alarms = stack_alarms(world)
    raised = [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]
    hold(not raised, f"{raised}")
    return f"{len(alarms)} alarms, none raised"


def doctor_leaves_nothing(world: World) -> str:
    """`keyturn doctor --fix` does what reconcile would do in its next run; then it has no finding."""
    answer = world.keyturn("doctor", "--fix")
    codes = [finding["code"] for finding in answer["findings"]]
    hold(not codes, f"{codes}")
    return f"no finding is left; fixed: {', '.join(answer['fixed']) or 'nothing'}"


def stack_alarms(world: World) -> list[Any]:
    """The alarms of the stack under test."""
    pages = boto3.client("cloudwatch").get_paginator("describe_alarms")
    alarms = [
        alarm
        for page in pages.paginate(AlarmNamePrefix=f"{world.order.stack}-")
        for alarm in page["MetricAlarms"]
    ]
    hold(bool(alarms), "the stack has no alarm")
    return alarms


def executions(world: World) -> list[Any]:
    """The latest executions of the state machine, each as Step Functions describes it."""
    states = boto3.client("stepfunctions")
    machine = world.deployment.outputs["StateMachineArn"]
    listed = states.list_executions(stateMachineArn=machine)["executions"]
    return [states.describe_execution(executionArn=run["executionArn"]) for run in listed]


def history(execution: str) -> list[Any]:
    """The events of an execution."""
    pages = boto3.client("stepfunctions").get_paginator("get_execution_history")
    return [event for page in pages.paginate(executionArn=execution) for event in page["events"]]


DEPLOYMENT = Item("deploys", "The stack is deployed", deploys)
HEALTH = (
    Item("keys_created", "CreateKey with its tag is allowed", keys_are_created, aws_only=True),
    Item(
        "keyset", "One active and one standby key", lambda world: story.comes_up(world.deployment)
    ),
    Item("schedule", "The schedule fires at once", schedule_fires_at_once, aws_only=True),
    Item("no_errors", "A healthy start logs no error", starts_without_errors),
    Item("no_log_groups", "No function creates a log group", creates_no_log_groups),
    Item("no_alarm_at_first", "A new stack raises no alarm", raises_no_alarm),
)
AFTERWARDS = (
    Item("no_alarm_later", "Rotation and emergency raise no alarm", raises_no_alarm),
    Item("doctor", "The doctor has no finding", doctor_leaves_nothing),
)
