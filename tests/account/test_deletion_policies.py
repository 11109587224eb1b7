"""What stays when a stack goes, in words that the transform knows."""

import pytest

from tests.account.resolve import Deployment
from tests.synthesized import Template, mutated, synthesized

_ATTRIBUTES = ("DeletionPolicy", "UpdateReplacePolicy")


def unknown_policies(template: Template) -> list[str]:
    """Resources whose policy the transform refuses, for some value of RetainKeyset."""
    wrong = []
    for retain in ("true", "false"):
        deployment = Deployment(template, {"RetainKeyset": retain})
        for name, resource in template["Resources"].items():
            policies = [resource[a] for a in _ATTRIBUTES if a in resource]
            if any(deployment.resolve(p) not in ("Delete", "Retain") for p in policies):
                wrong.append(name)
            if "Condition" in resource and any(isinstance(p, dict) for p in policies):
                wrong.append(name)
    return wrong


def with_retain_except_on_create(template: Template) -> None:
    """As it was."""
    template["Resources"]["Bucket"]["DeletionPolicy"] = {
        "Fn::If": ["RetainsKeyset", "RetainExceptOnCreate", "Delete"]
    }


def with_a_conditional_resource(template: Template) -> None:
    """A bucket that is not always created."""
    template["Resources"]["Bucket"]["Condition"] = "IsAws"


def test_a_policy_by_parameter_is_delete_or_retain() -> None:
    """AWS::LanguageExtensions documents both, refuses RetainExceptOnCreate, and fails on conditional resources.

    Source: CloudFormation User Guide, "Intrinsic function references in DeletionPolicy and
    UpdateReplacePolicy attributes"; aws-cloudformation/cfn-language-discussion, issues 139 and 124.
    """
    assert unknown_policies(dict(synthesized())) == []


@pytest.mark.parametrize("mutant", [with_retain_except_on_create, with_a_conditional_resource])
def test_the_rule_notices(mutant) -> None:
    """Each of the forms that are refused."""
    assert "Bucket" in unknown_policies(mutated(mutant))


@pytest.mark.parametrize("retain", ["true", "false"])
def test_bucket_and_logs_share_the_fate_of_the_keyset(retain: str) -> None:
    """The history and the audit lines are of no use without the keys, nor the keys without them."""
    deployment = Deployment(dict(synthesized()), {"RetainKeyset": retain})
    policies = {
        name: deployment.resolve(resource["DeletionPolicy"])
        for name, resource in synthesized()["Resources"].items()
        if "DeletionPolicy" in resource
    }
    assert policies == dict.fromkeys(("Bucket", "Logs"), "Retain" if retain == "true" else "Delete")
