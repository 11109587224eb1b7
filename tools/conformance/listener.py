"""A queue on the topic Alerts. It is a stack of its own, deleted like the others."""

import json
import time
from collections.abc import Callable
from typing import Any

import boto3

from tools.demo.story import DoesNotHold
from tools.local_stacks import outputs_of

_FROM_SNS = {
    "Effect": "Allow",
    "Principal": {"Service": "sns.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
    "Condition": {"ArnEquals": {"aws:SourceArn": {"Ref": "Topic"}}},
}
_TEMPLATE = {
    "Parameters": {"Topic": {"Type": "String"}},
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"MessageRetentionPeriod": 3600}},
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {"Statement": [_FROM_SNS]},
            },
        },
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "DependsOn": "QueuePolicy",
            "Properties": {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "sqs",
                "RawMessageDelivery": True,
                "Endpoint": {"Fn::GetAtt": ["Queue", "Arn"]},
            },
        },
    },
    "Outputs": {"QueueUrl": {"Value": {"Ref": "Queue"}}},
}


class Listener:
    """Collects what the topic delivers."""

    def __init__(self, queue_url: str) -> None:
        self._queue_url = queue_url
        self.messages: list[dict[str, Any]] = []

    @classmethod
    def deploy(cls, stack: str, topic_arn: str) -> "Listener":
        """Create the queue and its subscription; raises botocore's WaiterError."""
        cloudformation = boto3.client("cloudformation")
        cloudformation.create_stack(
            StackName=stack,
            TemplateBody=json.dumps(_TEMPLATE),
            Parameters=[{"ParameterKey": "Topic", "ParameterValue": topic_arn}],
        )
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 300}
        )
        return cls(outputs_of(stack)["QueueUrl"])

    def wait_for(self, is_it: Callable[[dict[str, Any]], bool], what: str, seconds: float) -> None:
        """Wait until such a message is delivered; raises DoesNotHold if none is within `seconds`."""
        until = time.monotonic() + seconds
        while not any(map(is_it, self.messages)):
            if not self._receive() and time.monotonic() >= until:
                raise DoesNotHold(f"{what} was not delivered within {seconds:.0f} s")

    def _receive(self) -> bool:
        sqs = boto3.client("sqs")
        answer = sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        )
        for message in answer.get("Messages", []):
            self.messages.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
        return bool(answer.get("Messages"))
