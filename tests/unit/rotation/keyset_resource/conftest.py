"""What the tests of the custom resource Keyset share: CloudFormation and the state machine."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from keyturn.rotation import keyset_resource
from tests.cloud.states import CloudFormationClient, StatesClient
from tests.unit.stage import START, invoke

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:rotation"


@pytest.fixture
def machine(aws, clients, start) -> StatesClient:
    """The state machine; it runs the real definition at once, and executions without input for ever."""

    def run(text: str) -> SimpleNamespace:
        if text == "{}":
            return SimpleNamespace(over=False, failure=None)
        execution = start(**json.loads(text))
        failure = str(execution.error) if execution.finish() == "failed" else None
        return SimpleNamespace(over=True, failure=failure)

    clients.states = StatesClient(aws, START, run)
    return clients.states


@pytest.fixture
def running(machine) -> str:
    """An execution that runs until it is stopped."""
    return machine.start_execution(MACHINE, "waits", "{}")["executionArn"]


@pytest.fixture
def cloudformation(aws, clients) -> CloudFormationClient:
    """What CloudFormation reports of its current operation."""
    clients.cloudformation = CloudFormationClient(aws, "stack-1", "CREATE_IN_PROGRESS")
    return clients.cloudformation


@pytest.fixture
def send(stack, site):
    """Send an event to the function; returns its answer to CloudFormation."""

    def send(request_type, stack_id="stack-1", **members):
        site.puts.clear()
        event = {
            "RequestType": request_type,
            "ResponseURL": f"{site.url}/answer",
            "StackId": stack_id,
            "RequestId": "request-1",
            "LogicalResourceId": "Keyset",
            "ResourceProperties": {"ServiceToken": "arn", "Issuer": stack.settings.issuer},
            **members,
        }
        assert invoke(keyset_resource, event) is None
        [answer] = site.puts
        return answer

    return send


@pytest.fixture
def ask(stack, machine, send, cloudformation, monkeypatch, printed):
    """Send a request as CloudFormation does; returns the answer.

    The id in an answer to Create comes back in Update and Delete, unless that answer was `lost`,
    in which case CloudFormation sends an id of its own.
    """
    ids: dict[str, str] = {}

    def ask(request_type, *, stack_id="stack-1", lost=False, retain=False):
        known = {}
        if request_type != "Create":
            known = {"PhysicalResourceId": "demo-Keyset-1ABC" if lost else ids[stack_id]}
        cloudformation.stack_id = stack_id
        cloudformation.status = f"{request_type.upper()}_IN_PROGRESS"
        settings = replace(stack.settings, retain_keyset=retain, state_machine=MACHINE)
        monkeypatch.setattr(stack, "settings", settings)
        answer = send(request_type, stack_id, **known)
        ids[stack_id] = answer["PhysicalResourceId"]
        return answer

    return ask
