"""What only AWS can answer and no item depends on: the answers decide what may become simpler."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tools.conformance.items import Item, World

_BIRTHS = 3
_BIRTH_SECONDS = 60
_TRANSFORM = "AWS::LanguageExtensions"
_TOPIC = {"Type": "AWS::SNS::Topic"}


def takes_retain_except_on_create(world: World) -> str:
    """Whether a DeletionPolicy by parameter may be RetainExceptOnCreate (cfn-language-discussion #139)."""
    policy = {"Fn::If": ["Keep", "Retain", "RetainExceptOnCreate"]}
    template = {
        "Transform": _TRANSFORM,
        "Parameters": {"Retain": {"Type": "String", "Default": "false"}},
        "Conditions": {"Keep": {"Fn::Equals": [{"Ref": "Retain"}, "true"]}},
        "Resources": {"Topic": {**_TOPIC, "DeletionPolicy": policy}},
    }
    with _change_set(world, template) as described:
        return f"{described['Status']}: {described.get('StatusReason') or 'accepted'}"


def compares_numbers(world: World) -> str:
    """Whether `!Equals [!Ref Number, 0]` is ever true under the transform (cfn-language-discussion #153)."""
    template = {
        "Transform": _TRANSFORM,
        "Parameters": {"Number": {"Type": "Number", "Default": 0}},
        "Conditions": {"IsZero": {"Fn::Equals": [{"Ref": "Number"}, 0]}},
        "Resources": {"Always": _TOPIC, "IfZero": {**_TOPIC, "Condition": "IsZero"}},
    }
    with _change_set(world, template) as described:
        names = {change["ResourceChange"]["LogicalResourceId"] for change in described["Changes"]}
    return f"{'true' if 'IfZero' in names else 'never true'} (the change set has {sorted(names)})"


def gives_a_new_public_key(world: World) -> str:
    """How long after CreateKey the key can be described by GetPublicKey; each key is deleted again."""
    return "; ".join(_birth(world.order.stack) for _ in range(_BIRTHS))


def _birth(stack: str) -> str:
    kms = boto3.client("kms")
    key = kms.create_key(
        KeySpec="RSA_2048",
        KeyUsage="SIGN_VERIFY",
        Description=f"{stack}: a question",
        Tags=[{"TagKey": "keyturn:conformance", "TagValue": stack}],
    )["KeyMetadata"]["KeyId"]
    born, errors = time.monotonic(), []
    try:
        while time.monotonic() - born < _BIRTH_SECONDS:
            try:
                kms.get_public_key(KeyId=key)
            except ClientError as error:
                errors.append(error.response["Error"]["Code"])
                time.sleep(0.2)
            else:
                return f"{time.monotonic() - born:.1f} s after {errors or 'no error'}"
        return f"not within {_BIRTH_SECONDS} s: {errors[-1]}"
    finally:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)


@contextmanager
def _change_set(world: World, template: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What CloudFormation makes of a template, as a change set that is never executed."""
    cloudformation, stack = boto3.client("cloudformation"), f"{world.order.stack}-question"
    world.created.append(stack)
    cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName="question",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_AUTO_EXPAND"],
    )
    for _ in range(120):
        described = cloudformation.describe_change_set(StackName=stack, ChangeSetName="question")
        if described["Status"] in ("CREATE_COMPLETE", "FAILED"):
            break
        time.sleep(1)
    yield described
    cloudformation.delete_stack(StackName=stack)  # in REVIEW_IN_PROGRESS: goes at once
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=described["StackId"], WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    world.created.remove(stack)


def _question(name: str, title: str, check: Callable[[World], str]) -> Item:
    return Item(name, title, check, aws_only=True, is_question=True)


QUESTIONS = (
    _question(
        "retain_except_on_create",
        "May a DeletionPolicy by parameter be RetainExceptOnCreate?",
        takes_retain_except_on_create,
    ),
    _question("equals_number", "Is a number equal to a number in a condition?", compares_numbers),
    _question(
        "public_key_at_birth", "When does a new key have a public key?", gives_a_new_public_key
    ),
)
