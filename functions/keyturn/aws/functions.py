"""The functions of a deployed stack by their names in the template."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.config import Config

from keyturn.aws.clients import client
from keyturn.aws.faults import AwsFault, translated

_PATIENT = Config(read_timeout=150, retries={"total_max_attempts": 1})


class FunctionFailed(AwsFault):
    """A function ended with an exception, whose words are the code."""


def physical_id(stack: str, logical_id: str) -> str:
    """The name that CloudFormation gave a resource; raises AwsFault."""
    with translated("cloudformation:DescribeStackResource"):
        detail = client("cloudformation").describe_stack_resource(
            StackName=stack, LogicalResourceId=logical_id
        )["StackResourceDetail"]
    return detail["PhysicalResourceId"]


def invoke(stack: str, logical_id: str) -> Mapping[str, Any]:
    """Invoke a function with no event and wait for its answer; raises FunctionFailed, AwsFault."""
    function = physical_id(stack, logical_id)
    with translated("lambda:InvokeFunction"):
        answer = client("lambda", config=_PATIENT).invoke(FunctionName=function)
        result: Mapping[str, Any] = json.loads(answer["Payload"].read() or b"{}")
    if "FunctionError" in answer:
        raise FunctionFailed(logical_id, str(result.get("errorMessage", "no message")))
    return result
