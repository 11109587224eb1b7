"""Answers are sent only to CloudFormation, whatever the event says."""

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
def test_a_bucket_of_cloudformation_is_accepted(host):
    """S3 has several spellings of the Region."""
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
def test_any_other_url_is_refused(url):
    """The check looks at scheme, host and port."""
    with pytest.raises(ForeignResponseUrl):
        check_response_url(url)


@pytest.mark.parametrize("module", [keyset_resource, check_settings])
def test_a_function_does_nothing_for_a_foreign_url(module, stack, cloud):
    """It neither carries out the request nor answers it."""
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
