"""A second orchestrator: the same definition and the same deployed Lambdas, run by another engine.

stepfunctions-local reports a Fail state as success and reads Retry in its own way, so this asserts
on effects and not on its word.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import urllib3
from tests.demo import story
from types_boto3_stepfunctions import SFNClient

from keyturn.aws.deployment import Deployment
from keyturn.cli.local import LocalAws, free_port

TOOL = Path(__file__).parents[1] / "node_modules/.bin/stepfunctions-local"


@pytest.fixture
def orchestrator(aws: LocalAws) -> Iterator[SFNClient]:
    """stepfunctions-local on a free port, invoking MiniStack's Lambdas."""
    port = free_port()
    command = [str(TOOL), "start", "--port", str(port), "--region", "us-east-1"]
    command += ["--lambda-endpoint", aws.endpoint, "--lambda-region", "us-east-1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            for _ in range(100):
                try:
                    urllib3.request("GET", f"http://127.0.0.1:{port}", retries=False)
                    break
                except urllib3.exceptions.HTTPError:
                    time.sleep(0.1)
            yield boto3.client("stepfunctions", endpoint_url=f"http://127.0.0.1:{port}")
        finally:
            server.terminate()


def test_another_engine_turns_the_key_the_same_way(
    deployment: Deployment, orchestrator: SFNClient
) -> None:
    """Afterwards the standby is active, the old key retired and pending deletion, the JWKS right."""
    before = deployment.keyset
    assert before.active is not None
    assert before.standby is not None
    deployed = deployment.clients.states.describe_state_machine(
        stateMachineArn=deployment.outputs["StateMachineArn"]
    )
    machine = orchestrator.create_state_machine(
        name="rotation",
        definition=deployed["definition"],
        roleArn="arn:aws:iam::000000000000:role/x",
    )
    event = {"mode": "scheduled", "started_by": "test", "supersede": before.active.kid}
    execution = orchestrator.start_execution(
        stateMachineArn=machine["stateMachineArn"], input=json.dumps(event)
    )["executionArn"]
    for _ in range(480):
        if orchestrator.describe_execution(executionArn=execution)["status"] != "RUNNING":
            break
        time.sleep(0.25)

    history = orchestrator.get_execution_history(executionArn=execution)["events"]
    entered = [
        event["stateEnteredEventDetails"]["name"]
        for event in history
        if "stateEnteredEventDetails" in event
    ]
    assert entered[-1] == "Rotated"
    after = deployment.keyset
    assert after.active is not None
    assert after.active.kid == before.standby.kid
    old = after.get(before.active.kid)
    assert old.state == "retired"
    assert deployment.kms.describe(old.kms_key_arn).pending_deletion
    assert story.jwks_kids(deployment) == {key.kid for key in after.keys}
