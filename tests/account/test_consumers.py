"""Any number of APIs use the authorizer: what each of their stacks adds to its resource policy.

Source: AWS Lambda Developer Guide, "Lambda quotas": a function's resource-based policy has 20,480 bytes.
API Gateway Developer Guide, "Configure an API Gateway Lambda authorizer": an authorizer's credentials are
a role of the API's own account. CloudFormation, AWS::Lambda::ResourcePolicy: it replaces the whole policy,
so no AWS::Lambda::Permission may stand beside it.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from tests.account.resolve import Deployment
from tests.definition import ROOT
from tests.synthesized import Template, mutated, synthesized, translate_errors

AUTHORIZER = (
    "arn:aws:lambda:ap-southeast-2:123456789012:function:keyturn-AuthorizeFunction-aBcDeFgHiJkL"
)
EXAMPLES = [
    ROOT / f"examples/{name}/template.yaml" for name in ("protected-api", "protected-http-api")
]
_QUOTA, _GOAL, _CONSUMERS = 20_480, 2048, 200


def _keyturn(template: Template, **parameters: str) -> Deployment:
    return Deployment(template, parameters, attributes={"AuthorizeFunction.Arn": AUTHORIZER})


def _consumers(text: str) -> Iterable[Deployment]:
    template = translate_errors(cfn_yaml.loads(text))
    for number in range(_CONSUMERS):
        yield Deployment(template, {"KeyturnAuthorizer": AUTHORIZER}, stack=f"team-{number}")


def statements(stacks: Iterable[Deployment]) -> list[dict[str, Any]]:
    """The resource policy that the authorizer has once all these stacks are deployed."""
    policy_statements = []
    for stack in stacks:
        for name, permission in stack.resources("AWS::Lambda::Permission").items():
            if permission["FunctionName"] in (AUTHORIZER, "<AuthorizeFunction>"):
                policy_statements.append(
                    _statement(f"{stack.stack}-{name}-aBcDeFgHiJkL", permission)
                )
        for policy in stack.resources("AWS::Lambda::ResourcePolicy").values():
            policy_statements += policy["PolicyDocument"]["Statement"]
    return policy_statements


def _statement(sid: str, permission: dict[str, Any]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": permission["Principal"]},
        "Action": permission["Action"],
        "Resource": AUTHORIZER,
        "Condition": {"ArnLike": {"AWS:SourceArn": permission["SourceArn"]}},
    }


def _size(policy: list[dict[str, Any]]) -> int:
    document = {"Version": "2012-10-17", "Id": "default", "Statement": policy}
    return len(json.dumps(document, separators=(",", ":")))


def _invoke_roles(template: Template) -> list[Any]:
    """By which role each API Gateway authorizer of the template invokes its function."""
    text = json.dumps(
        [r["Properties"].get("Body") for r in template["Resources"].values() if "Properties" in r]
    )
    roles: list[Any] = []

    def note(members: dict[str, Any]) -> dict[str, Any]:
        if "authorizerUri" in members:
            roles.append(members.get("authorizerCredentials"))
        return members

    json.loads(text, object_hook=note)
    return roles


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
def test_200_consumers_leave_the_policy_as_it_was(example: Path) -> None:
    """Each invokes the authorizer by a role of its own; the policy stays empty."""
    keyturn = _keyturn(dict(synthesized()))
    before = statements([keyturn])
    after = statements([keyturn, *_consumers(example.read_text())])
    assert before == after == []
    assert _size(after) <= _GOAL


def test_without_the_role_the_policy_is_full() -> None:
    """SAM's default is a statement for each API: the 200 of them do not fit."""
    lines = EXAMPLES[0].read_text().splitlines(keepends=True)
    text = "".join(
        line for line in lines if "FunctionInvokeRole" not in line and "DisableFunction" not in line
    )
    policy = statements(_consumers(text))
    assert len(policy) == _CONSUMERS
    assert _size(policy) > _QUOTA


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_s_role_may_invoke_the_authorizer_and_nothing_else(example: Path) -> None:
    """The same role in this account and in any other, assumed by API Gateway only."""
    template = translate_errors(cfn_yaml.loads(example.read_text()))
    assert _invoke_roles(template) == [{"Fn::GetAtt": ["InvokeKeyturnRole", "Arn"]}]
    stack = Deployment(template, {"KeyturnAuthorizer": AUTHORIZER})
    role = stack.resources("AWS::IAM::Role")["InvokeKeyturnRole"]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "apigateway.amazonaws.com"}
    [policy] = role["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": AUTHORIZER,
    }


def test_the_stack_s_own_api_invokes_it_by_a_role_too() -> None:
    """A statement of its own would be overwritten by the policy of ConsumerAccounts."""
    assert _invoke_roles(dict(synthesized())) == [{"Fn::GetAtt": ["InvokeAuthorizerRole", "Arn"]}]


def test_other_accounts_are_admitted_in_one_statement() -> None:
    """It admits as many as the parameter names, only to invoke this function; none by default."""
    accounts = [f"{number:012}" for number in range(1, 301)]
    policy = statements([_keyturn(dict(synthesized()), ConsumerAccounts=",".join(accounts))])
    assert policy == [
        {
            "Sid": "ConsumerAccounts",
            "Effect": "Allow",
            "Principal": {"AWS": accounts},
            "Action": "lambda:InvokeFunction",
            "Resource": AUTHORIZER,
        }
    ]
    policy[0]["Principal"]["AWS"] = [
        f"arn:aws:iam::{account}:root" for account in accounts
    ]  # as stored
    assert _size(policy) <= _QUOTA
    assert statements([_keyturn(dict(synthesized()))]) == []


def test_an_api_with_a_permission_of_its_own_is_noticed() -> None:
    """SAM's default for the stack's own API."""

    def permit(template: Template) -> None:
        template["Resources"]["Permission"] = {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "AuthorizeFunction"},
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": "arn",
            },
        }

    assert len(statements([_keyturn(mutated(permit))])) == 1


def test_fifteen_lines_protect_an_api() -> None:
    """Those of docs/use-it.md: SAM takes them, and the example that is deployed says the same and more."""
    page = (ROOT / "docs/use-it.md").read_text().partition("## Protect an API\n")[2]
    block = page.partition("```yaml\n")[2].partition("```")[0]
    assert len(block.splitlines()) <= 15
    lines = cfn_yaml.loads(f"Transform: AWS::Serverless-2016-10-31\nResources:\n{block}")
    example = cfn_yaml.loads(EXAMPLES[0].read_text())
    assert _is_part(lines["Resources"], example["Resources"])
    assert _invoke_roles(translate_errors(lines)) == [{"Fn::GetAtt": ["InvokeKeyturnRole", "Arn"]}]


def _is_part(one: Any, whole: Any) -> bool:
    if isinstance(one, dict):
        return all(name in whole and _is_part(one[name], whole[name]) for name in one)
    return bool(one == whole)
