"""IAM's quotas on what a role has, for the longest names.

Source: IAM User Guide, "IAM and AWS STS quotas": a managed policy has 6,144 characters, a role's inline
policies together 10,240, its trust policy 2,048, white space not counted; ten managed policies a role.
"""

import json
from typing import Any

from tests.account.resolve import Deployment
from tests.account.test_names import LONGEST
from tests.synthesized import Template, mutated, synthesized

_MANAGED, _INLINE, _TRUST, _ATTACHED = 6144, 10_240, 2048, 10


def _size(document: Any) -> int:
    return len("".join(json.dumps(document).split()))


def over_the_quotas(template: Template) -> list[str]:
    """Policies and roles that IAM refuses."""
    functions = [n for n, r in template["Resources"].items() if r["Type"].endswith("::Function")]
    arns = {
        f"{name}.Arn": "arn:aws:lambda:ap-southeast-2:123456789012:function:" + "f" * 64
        for name in functions
    }
    state_machine = "arn:aws:states:ap-southeast-2:123456789012:stateMachine:" + "m" * 80
    names = dict.fromkeys(functions, "f" * 64) | {"RotationStateMachine": state_machine}
    deployment = Deployment(template, stack=LONGEST, attributes=arns | names)
    managed = deployment.resources("AWS::IAM::ManagedPolicy")
    wrong = [name for name, p in managed.items() if _size(p["PolicyDocument"]) > _MANAGED]
    for name, role in deployment.resources("AWS::IAM::Role").items():
        inline = sum(_size(policy["PolicyDocument"]) for policy in role.get("Policies", ()))
        if (
            inline > _INLINE
            or _size(role["AssumeRolePolicyDocument"]) > _TRUST
            or len(role.get("ManagedPolicyArns", ())) > _ATTACHED
        ):
            wrong.append(name)
    return wrong


def test_every_policy_fits() -> None:
    """Each fits with a stack name of 128 characters and functions named with 64."""
    assert over_the_quotas(dict(synthesized())) == []


def test_one_more_than_ten_is_noticed() -> None:
    """Reconcile's role has nine managed policies."""

    def attach(template: Template) -> None:
        role = template["Resources"]["ReconcileFunctionRole"]["Properties"]
        role["ManagedPolicyArns"] += [{"Ref": "ListKeyset"}] * 2

    assert over_the_quotas(mutated(attach)) == ["ReconcileFunctionRole"]


def test_a_policy_that_lists_too_much_is_noticed() -> None:
    """A policy that named thirty more parameters of the stack is noticed."""

    def lengthen(template: Template) -> None:
        [statement] = template["Resources"]["ListKeyset"]["Properties"]["PolicyDocument"][
            "Statement"
        ]
        statement["Resource"] = statement["Resource"] * 30

    assert over_the_quotas(mutated(lengthen)) == ["ListKeyset"]
