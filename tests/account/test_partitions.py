"""GovCloud and China."""

import pytest

from tests.account.resolve import Deployment
from tests.synthesized import mutated, synthesized


@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-cn", "aws-iso", "aws-eusc"])
def test_a_partition_without_cloudfront_is_refused_by_name(partition: str) -> None:
    """Before anything is created, in a sentence.

    Source: CloudFront Developer Guide (not in GovCloud; in China a service of its own); CloudFormation
    User Guide, "CloudFormation template Rules syntax".
    """
    [refusal] = Deployment(synthesized(), partition=partition).refusals()
    assert "GovCloud, China and the sovereign clouds are not supported" in refusal
    unruly = mutated(lambda template: template.pop("Rules"))
    assert Deployment(unruly, partition=partition).refusals() == []


def test_the_commercial_regions_are_not_refused() -> None:
    """They are accepted with and without a domain."""
    assert Deployment(synthesized()).refusals() == []
    domain = {"DomainName": "issuer.example.com", "CertificateArn": "arn:aws:acm:…"}
    assert Deployment(synthesized(), domain).refusals() == []
    half = {"DomainName": "issuer.example.com"}
    assert Deployment(synthesized(), half).refusals() == [
        "Set both DomainName and CertificateArn, or neither"
    ]
