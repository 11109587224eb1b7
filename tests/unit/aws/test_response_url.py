"""An answer to CloudFormation goes to CloudFormation, whoever wrote the event."""

import pytest

from keyturn.aws.response_url import ForeignResponseUrl, check_response_url
from keyturn.rotation import check_settings, keyset_resource
from tests.unit.stage import invoke

BUCKET = "cloudformation-custom-resource-response-useast1"


@pytest.mark.parametrize(
    "host",
    [
        f"{BUCKET}.s3.amazonaws.com",
        f"{BUCKET}.s3.us-east-1.amazonaws.com",
        "cloudformation-custom-resource-response-eusouth1.s3.eu-south-1.amazonaws.com",
        f"{BUCKET}.s3-us-west-2.amazonaws.com",
    ],
)
def test_cloudformation_s_own_buckets_are_answered(host):
    """Whichever way S3 spells the Region."""
    check_response_url(f"https://{host}/arn%3Aaws%3Acloudformation?X-Amz-Signature=a")


@pytest.mark.parametrize(
    "url",
    [
        f"http://{BUCKET}.s3.amazonaws.com/a",
        "https://evil.example/a",
        f"https://{BUCKET}.s3.amazonaws.com.evil.example/a",
        f"https://{BUCKET}.s3.amazonaws.com@evil.example/a",
        f"https://{BUCKET}.s3.amazonaws.com:8443/a",
        "https://somebucket.s3.amazonaws.com/a",
        "https://169.254.169.254/latest",
        "file:///etc/passwd",
        "",
    ],
)
def test_nothing_else_is(url):
    """The event is refused before anything is done."""
    with pytest.raises(ForeignResponseUrl):
        check_response_url(url)


@pytest.mark.parametrize("module", [keyset_resource, check_settings])
def test_a_function_does_nothing_for_a_foreign_url(module, stack, cloud):
    """Neither what the event asks for nor a request."""
    before = cloud.snapshot()
    event = {
        "RequestType": "Delete",
        "ResponseURL": "https://evil.example/a",
        "StackId": "stack-1",
        "RequestId": "request-1",
        "LogicalResourceId": "Keyset",
        "PhysicalResourceId": "Keyset",
        "ResourceProperties": {},
    }
    with pytest.raises(ForeignResponseUrl):
        invoke(module, event)
    assert cloud.snapshot() == before
