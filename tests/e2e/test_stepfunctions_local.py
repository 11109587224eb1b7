"""A second orchestrator: the same definition and the same deployed Lambdas, run by another engine.

stepfunctions-local reports a Fail state as success and reads Retry in its own way, so these tests
assert on effects.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from types_boto3_stepfunctions import SFNClient

from keyturn.aws.executions import RUNNING
from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.local import LocalAws
from tests.stepfunctions_local import stepfunctions_local
from tests.unit.rotation.emergency.paths import EMERGENCY
from tools.demo import story


@pytest.fixture
def orchestrator(aws: LocalAws) -> Iterator[SFNClient]:
    """stepfunctions-local, invoking MiniStack's Lambdas."""
    with stepfunctions_local(aws.endpoint) as endpoint:
        yield boto3.client("stepfunctions", endpoint_url=endpoint)


def run_there(
    deployment: Deployment, orchestrator: SFNClient, event: Mapping[str, Any]
) -> list[str]:
    """Run the deployed definition on the other engine; returns the states it entered."""
    deployed = deployment.clients.states.describe_state_machine(
        stateMachineArn=deployment.outputs["StateMachineArn"]
    )
    machine = orchestrator.create_state_machine(
        name="rotation",
        definition=deployed["definition"],
        roleArn="arn:aws:iam::000000000000:role/x",
    )
    execution = orchestrator.start_execution(
        stateMachineArn=machine["stateMachineArn"], input=json.dumps(event)
    )["executionArn"]
    story.wait_until(
        lambda: orchestrator.describe_execution(executionArn=execution)["status"] != RUNNING,
        120,
        "the execution runs for more than two minutes",
    )
    history = orchestrator.get_execution_history(executionArn=execution)["events"]
    return [
        event["stateEnteredEventDetails"]["name"]
        for event in history
        if "stateEnteredEventDetails" in event
    ]


def test_another_engine_turns_the_key_the_same_way(
    deployment: Deployment, orchestrator: SFNClient
) -> None:
    """A rotation on the other engine ends with the standby active and the superseded key pending deletion."""
    before = story.at_rest(deployment)

    entered = run_there(deployment, orchestrator, story.rotation_of(before.active.kid, "test"))

    assert entered[-1] == "Rotated"
    after = story.at_rest(deployment)
    assert after.active.kid == before.standby.kid
    superseded = after.keyset.get(before.active.kid)
    assert superseded.state == "retired"
    assert deployment.kms.describe(superseded.kms_key_arn).pending_deletion


def test_another_engine_revokes_in_the_same_order(
    deployment: Deployment, orchestrator: SFNClient
) -> None:
    """An emergency enters the same states on the other engine, with the same effects."""
    before = story.at_rest(deployment)
    kids = [before.active.kid]

    entered = run_there(
        deployment,
        orchestrator,
        {"mode": "emergency", "kids": kids, "reason": "test", "started_by": "test"},
    )

    assert entered == EMERGENCY
    after = story.at_rest(deployment)
    assert after.active.kid == before.standby.kid
    revoked = after.keyset.get(kids[0])
    assert revoked.state == "revoked"
    assert not deployment.kms.describe(revoked.kms_key_arn).enabled
