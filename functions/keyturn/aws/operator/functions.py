"""The functions of a deployed stack, by their logical ids."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.config import Config

from keyturn.aws.clients import client
from keyturn.aws.faults import AwsFault, translate_errors

_PATIENT = Config(read_timeout=150, retries={"total_max_attempts": 1})


class FunctionFailed(AwsFault):
    """A function raised an exception, whose message is the code."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource's physical id; `read_at` is when it was read, by AWS's clock, in whole seconds."""

    name: str
    read_at: datetime


def resource(stack: str, logical_id: str) -> Resource:
    """A resource of the stack by its logical id; raises AwsFault."""
    with translate_errors("cloudformation:DescribeStackResource"):
        answer = client("cloudformation").describe_stack_resource(
            StackName=stack, LogicalResourceId=logical_id
        )
    date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    return Resource(answer["StackResourceDetail"]["PhysicalResourceId"], date.astimezone(UTC))


def invoke(stack: str, logical_id: str) -> Mapping[str, Any]:
    """Invoke a function with no event and wait for its result; raises FunctionFailed, AwsFault."""
    function = resource(stack, logical_id).name
    with translate_errors("lambda:InvokeFunction"):
        answer = client("lambda", config=_PATIENT).invoke(FunctionName=function)
        result: Mapping[str, Any] = json.loads(answer["Payload"].read() or b"{}")
    if "FunctionError" in answer:
        raise FunctionFailed(logical_id, str(result.get("errorMessage", "no message")))
    return result
