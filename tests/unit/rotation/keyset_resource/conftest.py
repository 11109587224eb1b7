"""What the tests of the custom resource Keyset share: CloudFormation, and what it deploys around."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from keyturn.rotation import keyset_resource

ROLE = "arn:aws:iam::123456789012:role/states"


@pytest.fixture
def machine(stack, backdoor, execution, monkeypatch) -> str:
    """The state machine; a run of it is an execution of the real definition, on these handlers."""
    made = backdoor.stepfunctions.create_state_machine(
        name="rotation", definition='{"StartAt":"A","States":{"A":{"Type":"Pass"}}}', roleArn=ROLE
    )
    monkeypatch.setattr(stack.executions, "start", lambda _arn, event: execution(**event).finish())
    monkeypatch.setattr(stack.executions, "status", lambda _execution: "SUCCEEDED")
    return made["stateMachineArn"]


@pytest.fixture
def cloudformation(stack, monkeypatch):
    """What CloudFormation is doing, and with which stack."""
    doing = SimpleNamespace(stack_id="stack-1", status="CREATE_IN_PROGRESS")

    def describe_stacks(StackName):  # noqa: N803 - boto3's
        assert StackName == "demo"
        return {"Stacks": [{"StackId": doing.stack_id, "StackStatus": doing.status}]}

    monkeypatch.setattr(
        stack.clients, "cloudformation", SimpleNamespace(describe_stacks=describe_stacks)
    )
    return doing


@pytest.fixture
def send(stack, site, invoke):
    """Send an event to the function; returns what CloudFormation was told."""

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
    """Ask as CloudFormation does; returns what it was told.

    The id in an answer to Create comes back in Update and Delete, unless `lost` says that
    CloudFormation never got one and so gives one of its own.
    """
    ids = {}

    def ask(request_type, *, stack_id="stack-1", lost=False, retain=False):
        known = {}
        if request_type != "Create":
            known = {"PhysicalResourceId": "demo-Keyset-1ABC" if lost else ids[stack_id]}
        cloudformation.stack_id = stack_id
        cloudformation.status = f"{request_type.upper()}_IN_PROGRESS"
        settings = replace(stack.settings, retain_keyset=retain, state_machine=machine)
        monkeypatch.setattr(stack, "settings", settings)
        answer = send(request_type, stack_id, **known)
        ids[stack_id] = answer["PhysicalResourceId"]
        return answer

    return ask
