"""A stack may have any name that CloudFormation allows, in any Region, beside another."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.account.resolve import Deployment
from tests.synthesized import Template, mutated, synthesized

LONGEST = "k" * 128  # CloudFormation API Reference, CreateStack, StackName
_REGION = "ap-southeast-2"

# Property (a path) and the characters that AWS allows there. Names that CloudFormation makes up
# itself it also cuts to size (User Guide, "Name type").
LIMITS: Mapping[tuple[str, str], int] = {
    # CloudWatch API Reference, PutDashboard: 255
    ("AWS::CloudWatch::Dashboard", "DashboardName"): 255,
    # CloudFront API Reference, OriginAccessControlConfig: "up to 64 characters"
    ("AWS::CloudFront::OriginAccessControl", "OriginAccessControlConfig.Name"): 64,
    # aws/aws-cdk, issue 18918
    ("AWS::CloudFront::CachePolicy", "CachePolicyConfig.Name"): 128,
    # aws/aws-cdk, issue 21524
    ("AWS::CloudFront::ResponseHeadersPolicy", "ResponseHeadersPolicyConfig.Name"): 128,
    # CloudFront API Reference, DistributionConfig: "cannot be longer than 128 characters"
    ("AWS::CloudFront::Distribution", "DistributionConfig.Comment"): 128,
    # EventBridge Scheduler API Reference, CreateSchedule
    ("AWS::Scheduler::Schedule", "Name"): 64,
    # IAM API Reference, CreateRole and CreatePolicy
    ("AWS::IAM::Role", "RoleName"): 64,
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"): 128,
    # Lambda, Step Functions, EventBridge, CloudWatch, SNS and S3 API References
    ("AWS::Lambda::Function", "FunctionName"): 64,
    ("AWS::StepFunctions::StateMachine", "StateMachineName"): 80,
    ("AWS::Events::Rule", "Name"): 64,
    ("AWS::CloudWatch::Alarm", "AlarmName"): 255,
    ("AWS::SNS::Topic", "TopicName"): 256,
    ("AWS::S3::Bucket", "BucketName"): 63,
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
}
# Where one name serves the account in all Regions.
GLOBAL = (
    "AWS::CloudWatch::Dashboard",
    "AWS::CloudFront::OriginAccessControl",
    "AWS::CloudFront::CachePolicy",
    "AWS::CloudFront::ResponseHeadersPolicy",
)


def names(deployment: Deployment) -> Iterator[tuple[str, str, str]]:
    """Type, property and value of every name that the template gives."""
    for kind, path in LIMITS:
        for properties in deployment.resources(kind).values():
            value: Any = properties
            for part in path.split("."):
                value = value.get(part, {}) if isinstance(value, dict) else {}
            if isinstance(value, str):
                yield kind, path, value


def too_long(template: Template) -> list[str]:
    """The types with a name that AWS refuses if the stack's is the longest."""
    deployment = Deployment(template, stack=LONGEST, region=_REGION)
    return [kind for kind, path, name in names(deployment) if len(name) > LIMITS[kind, path]]


def clashing(template: Template) -> list[str]:
    """The types whose names two stacks of the same name in two Regions would share."""
    elsewhere = set(names(Deployment(template, region="eu-west-1")))
    return [
        kind
        for kind, path, name in names(Deployment(template, region=_REGION))
        if kind in GLOBAL and path.endswith("Name") and (kind, path, name) in elsewhere
    ]


def _set(resource: str, path: str, value: Any):
    def change(template: Template) -> None:
        *parents, last = path.split(".")
        node = template["Resources"][resource]["Properties"]
        for parent in parents:
            node = node[parent]
        node[last] = value

    return change


STACK_AND_REGION = {"Fn::Sub": "${AWS::StackName}-${AWS::Region}"}


def test_the_longest_stack_name_fits() -> None:
    """128 characters, in every name that is derived from it. Sources: beside each limit."""
    assert too_long(dict(synthesized())) == []


@pytest.mark.parametrize(
    ("mutant", "kind"),
    [
        (_set("OriginAccess", "OriginAccessControlConfig.Name", STACK_AND_REGION), "OriginAccessControl"),
        (_set("CachePolicy", "CachePolicyConfig.Name", STACK_AND_REGION), "CachePolicy"),
        (_set("ResponseHeaders", "ResponseHeadersPolicyConfig.Name", STACK_AND_REGION), "ResponseHeadersPolicy"),
        (_set("Distribution", "DistributionConfig.Comment", {"Fn::Sub": "Of ${AWS::StackName}"}), "Distribution"),
        (_set("RotationDaily", "Name", {"Fn::Sub": "${AWS::StackName}-rotation"}), "Schedule"),
    ],
)  # fmt: skip
def test_a_name_that_grows_with_the_stacks_is_noticed(mutant, kind: str) -> None:
    """Each of these was once longer than AWS allows."""
    [noticed] = too_long(mutated(mutant))
    assert noticed.endswith(f"::{kind}")


def test_a_name_of_the_account_says_which_stack() -> None:
    """Dashboards and CloudFront's policies are named per account, not per Region.

    Source: CloudWatch User Guide, "Using Amazon CloudWatch dashboards" ("dashboards are global");
    CloudFront API Reference, ResponseHeadersPolicyConfig ("unique … in this Amazon Web Services account").
    """
    assert clashing(dict(synthesized())) == []
    mutant = mutated(_set("Dashboard", "DashboardName", {"Ref": "AWS::StackName"}))
    assert clashing(mutant) == ["AWS::CloudWatch::Dashboard"]
