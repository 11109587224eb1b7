"""An account of moto's, with a stack that is somebody else's."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

STACK, FOREIGN, ACCOUNT = "keyturn-here", "keyturn", "123456789012"
_TEMPLATE = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}


def create_stack(name: str) -> None:
    """A stack with one resource."""
    boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(_TEMPLATE))


def stacks() -> set[str]:
    """The stacks that exist."""
    found = boto3.client("cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"] for stack in found if stack["StackStatus"] != "DELETE_COMPLETE"}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With the stack that must not be touched."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        create_stack(FOREIGN)
        yield
