"""What the tests of the custom resource Keyset share: CloudFormation, and what it deploys around."""

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
def ask(stack, machine, site, invoke, printed):
    """Ask as CloudFormation does; returns what it was told.

    The id in an answer to Create comes back in Update and Delete, unless `lost` says that
    CloudFormation never got one and so gives one of its own.
    """
    ids = {}

    def ask(request_type, *, stack_id="stack-1", lost=False, **properties):
        site.puts.clear()
        known = {}
        if request_type != "Create":
            known = {"PhysicalResourceId": "demo-Keyset-1ABC" if lost else ids[stack_id]}
        event = {
            **known,
            "RequestType": request_type,
            "ResponseURL": f"{site.url}/answer",
            "StackId": stack_id,
            "RequestId": "request-1",
            "LogicalResourceId": "Keyset",
            "ResourceProperties": {
                "ServiceToken": "arn",
                "Issuer": stack.settings.issuer,
                "StateMachineArn": machine,
                **properties,
            },
        }
        assert invoke(keyset_resource, event) is None
        [told] = site.puts
        ids[stack_id] = told["PhysicalResourceId"]
        return told

    return ask
