"""The public edge: `.well-known/*` and nothing else, by one name, for no longer than P allows."""

import re

import pytest

from tests.template import RESOURCES, TEMPLATE

LOCAL, AWS = "IsLocal", "IsAws"


def chosen(value, condition):
    """Resolve an `Fn::If` on IsLocal, for a local AWS or for AWS."""
    name, local, elsewhere = value["Fn::If"]
    assert name == LOCAL
    return local if condition == LOCAL else elsewhere


def test_the_issuer_has_one_name():
    """Tokens, discovery document, custom resource and outputs have the same issuer, without a final slash."""
    spoken = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]["KEYTURN_ISSUER"]
    assert RESOURCES["Keyset"]["Properties"]["Issuer"] == spoken
    outputs = TEMPLATE["Outputs"]
    assert outputs["Issuer"]["Value"] == {"Fn::GetAtt": ["Keyset", "Issuer"]}
    assert outputs["JwksUrl"]["Value"] == {"Fn::GetAtt": ["Keyset", "JwksUrl"]}
    own, cdn = chosen(spoken, AWS)["Fn::If"][1:]
    for text in (chosen(spoken, LOCAL), own, cdn):
        assert not text["Fn::Sub"].endswith("/")


@pytest.mark.parametrize(
    ("name", "matches"),
    [
        ("", True),
        ("issuer.example.com", True),
        ("a-1.example", True),
        ("https://issuer.example.com", False),
        ("issuer.example.com/", False),
        ("issuer.example.com.", False),
        ("issuer", False),
        ("Issuer.example.com", False),
    ],
)
def test_a_domain_is_a_name_alone(name, matches):
    """The domain has no scheme, slash or capital, which would give an issuer that no verifier accepts."""
    pattern = TEMPLATE["Parameters"]["DomainName"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, name)) is matches


def test_outside_nothing_can_be_read_but_well_known():
    """This stack's CloudFront, or everyone on a local AWS, may read well-known objects but not the history."""
    statements = RESOURCES["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    reading, *denials = statements
    for condition in (LOCAL, AWS):
        statement = chosen(reading, condition)
        assert statement["Action"] == "s3:GetObject"
        assert statement["Resource"] == {"Fn::Sub": "${Bucket.Arn}/.well-known/*"}
    assert chosen(reading, AWS)["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert "aws:SourceArn" in chosen(reading, AWS)["Condition"]["StringEquals"]
    assert {chosen(denial, AWS)["Effect"] for denial in denials} == {"Deny"}
    blocked = RESOURCES["Bucket"]["Properties"]["PublicAccessBlockConfiguration"]
    for setting in ("BlockPublicPolicy", "RestrictPublicBuckets"):
        assert chosen(blocked[setting], AWS) is True


def test_the_cdn_keeps_the_jwks_as_long_as_it_may():
    """It keeps it for at most CdnTtl, which CheckSettings holds against P, and by no other key than the path."""
    policy = RESOURCES["CachePolicy"]["Properties"]["CachePolicyConfig"]
    assert policy["MaxTTL"] == policy["DefaultTTL"] == {"Ref": "CdnTtl"}
    assert policy["MinTTL"] == 0
    forwarded = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    assert forwarded["EnableAcceptEncodingGzip"] is False
    assert forwarded["QueryStringsConfig"] == {"QueryStringBehavior": "none"}
    distribution = RESOURCES["Distribution"]["Properties"]["DistributionConfig"]
    assert {error["ErrorCachingMinTTL"] for error in distribution["CustomErrorResponses"]} == {0}


def test_anyone_may_read_from_any_page_and_nothing_is_a_page():
    """The edge allows CORS for every origin without credentials, and forbids frames, sniffing and plain HTTP."""
    config = RESOURCES["ResponseHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    assert config["CorsConfig"]["AccessControlAllowOrigins"] == {"Items": ["*"]}
    assert config["CorsConfig"]["AccessControlAllowCredentials"] is False
    headers = config["SecurityHeadersConfig"]
    assert all(header["Override"] is True for header in headers.values())
    assert headers["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
    behaviour = RESOURCES["Distribution"]["Properties"]["DistributionConfig"][
        "DefaultCacheBehavior"
    ]
    assert behaviour["ResponseHeadersPolicyId"] == {"Ref": "ResponseHeaders"}
    assert behaviour["ViewerProtocolPolicy"] == "https-only"
    assert set(behaviour["AllowedMethods"]) == {"GET", "HEAD", "OPTIONS"}


def test_what_is_only_for_cloudfront_is_only_made_on_aws():
    """The resources for CloudFront exist on AWS only; a local AWS has just the bucket."""
    edge = {
        name for name, made in RESOURCES.items() if made["Type"].startswith("AWS::CloudFront::")
    }
    assert edge == {"OriginAccess", "CachePolicy", "ResponseHeaders", "Distribution"}
    assert {RESOURCES[name]["Condition"] for name in edge} == {AWS}
