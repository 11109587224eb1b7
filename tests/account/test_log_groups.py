"""Functions write to the stack's log group and to no other, and create none."""

import pytest

from tests.account.resolve import Deployment
from tests.permissions.policy import Statement
from tests.synthesized import Template, mutated, synthesized, translate

_GROUP = "arn:aws:logs:ap-southeast-2:123456789012:log-group:{}:log-stream:2026/11/01/[$LATEST]0"


def statements(template: Template, role: str) -> list[Statement]:
    """What the role may do, AWS's own policies as AWS documents them."""
    deployment = Deployment(template)
    properties = deployment.resources("AWS::IAM::Role")[role]
    documents = [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
    managed = deployment.resources("AWS::IAM::ManagedPolicy")
    for arn in properties.get("ManagedPolicyArns", ()):
        name = arn.strip("<>")
        documents.append(managed[name]["PolicyDocument"] if name in managed else _BASIC)
    return [
        Statement.from_document(text) for document in documents for text in document["Statement"]
    ]


# AWS Managed Policy Reference Guide, AWSLambdaBasicExecutionRole
_BASIC = {
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "*",
        }
    ]
}


def reaching_other_groups(template: Template) -> list[str]:
    """Roles that may create a log group, or write to another one."""
    group, stream = _GROUP.format("other").partition(":log-stream")[0], _GROUP.format("other")
    forbidden = [("CreateLogGroup", group), ("CreateLogStream", stream), ("PutLogEvents", stream)]
    return [
        role
        for role in Deployment(template).resources("AWS::IAM::Role")
        if any(
            statement.allows(f"logs:{action}", arn, {})
            for action, arn in forbidden
            for statement in statements(template, role)
        )
    ]


def mute(template: Template) -> list[str]:
    """Functions that write to the stack's group without the right to, or not to it at all."""
    deployment = Deployment(template)
    return [
        name
        for name, function in deployment.resources("AWS::Lambda::Function").items()
        if function.get("LoggingConfig", {}).get("LogGroup") != "<Logs>"
        or not all(
            any(
                statement.allows(f"logs:{action}", _GROUP.format("<Logs>"), {})
                for statement in statements(
                    template, function["Role"].strip("<>").removesuffix(".Arn")
                )
            )
            for action in ("CreateLogStream", "PutLogEvents")
        )
    ]


def test_no_role_creates_log_groups_or_writes_to_another() -> None:
    """AWSLambdaBasicExecutionRole, which SAM gives every function without a role, may do both.

    Source: AWS Managed Policy Reference Guide; Lambda Developer Guide, "Configuring CloudWatch log
    groups" (CreateLogStream and PutLogEvents are enough for a group that exists).
    """
    assert reaching_other_groups(dict(synthesized())) == []
    assert mute(dict(synthesized())) == []


@pytest.mark.parametrize("function", ["WhoamiFunction", "ReconcileFunction"])
def test_the_role_that_sam_makes_is_noticed(function: str) -> None:
    """A function that is added without a role of its own."""

    def forget(template: Template) -> None:
        del template["Resources"][function]["Properties"]["Role"]
        del template["Resources"][f"{function}Role"]

    assert reaching_other_groups(translate(forget)) == [f"{function}Role"]


def test_a_function_that_cannot_log_is_noticed() -> None:
    """Its role lacks WriteLogs."""

    def forget(template: Template) -> None:
        role = template["Resources"]["WhoamiFunctionRole"]["Properties"]
        role["ManagedPolicyArns"] = []

    assert mute(mutated(forget)) == ["WhoamiFunction"]
