"""The bucket's own policy says who writes the history, whatever IAM says.

Sources: S3 User Guide, "Bucket policies for Amazon S3"; IAM User Guide, "Policy evaluation logic" (an explicit
Deny wins) and "Condition operators" (a negated operator holds where the key is missing, as for AWS services).
"""

from typing import Any

import pytest

from tests.account.resolve import Deployment
from tests.permissions.policy import Statement
from tests.synthesized import Template, mutated, synthesized

OBJECT = "<Bucket.Arn>/history/000000000001-x.json"
WRITERS = {"<RecordChangesFunctionRole.Arn>", "<ReconcileFunctionRole.Arn>"}
OTHERS = (
    "<PublishJwksFunctionRole.Arn>",
    "<KeysetFunctionRole.Arn>",
    "arn:aws:iam::123456789012:role/admin",
    "arn:aws:iam::123456789012:root",
    "arn:aws:iam::999999999999:role/other",
    None,  # an AWS service
)


def denials(template: Template) -> list[Any]:
    """The statements that deny putting an object of the history over TLS."""
    [policy] = Deployment(template).resources("AWS::S3::BucketPolicy").values()
    statements = []
    for statement in policy["PolicyDocument"]["Statement"]:
        unconditional = {n: v for n, v in statement.items() if n in ("Action", "Resource")}
        matches = Statement.from_document({"Effect": "Allow", **unconditional})
        is_denial = statement["Effect"] == "Deny" and "Bool" not in statement["Condition"]
        if is_denial and matches.allows("s3:PutObject", OBJECT, {}):
            statements.append(statement)
    return statements


def may_write(template: Template, principal: str | None) -> bool:
    """Whether the policy leaves it to IAM to let them put an object into the history."""
    for statement in denials(template):
        assert statement["Principal"] == "*"
        [(operator, keys)] = statement["Condition"].items()
        assert (operator, list(keys)) == ("StringNotEquals", ["aws:PrincipalArn"])
        if principal not in keys["aws:PrincipalArn"]:
            return False
    return True


@pytest.mark.parametrize("principal", sorted(WRITERS))
def test_those_who_record_may_write(principal: str) -> None:
    """RecordChanges and reconcile may write."""
    assert may_write(dict(synthesized()), principal)


@pytest.mark.parametrize("principal", OTHERS)
def test_nobody_else_may(principal: str | None) -> None:
    """No other role of the stack, no administrator, no account, no service."""
    assert not may_write(dict(synthesized()), principal)


def test_a_policy_without_the_denial_is_noticed() -> None:
    """Such a policy would leave the history to IAM."""

    def forget(template: Template) -> None:
        template["Resources"]["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"].pop()

    assert all(may_write(mutated(forget), principal) for principal in OTHERS)


def test_whoever_is_granted_it_by_iam_is_let_in() -> None:
    """The roles of the template that may write the history are those that the policy lets in."""
    roles = synthesized()["Resources"]
    granted = {
        f"<{name}.Arn>"
        for name, role in roles.items()
        if {"Ref": "KeepHistory"} in role.get("Properties", {}).get("ManagedPolicyArns", ())
    }
    assert granted == WRITERS
