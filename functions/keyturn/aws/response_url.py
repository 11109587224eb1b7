"""Check that a custom resource's response goes to CloudFormation and nowhere else.

Any principal that may invoke the function can choose the URL in the event. Only the standard
library is imported, because CheckSettings must respond even if the artefact cannot be imported.
"""

import os
import re
from urllib.parse import urlsplit

# CloudFormation User Guide, "Setting up VPC endpoints for AWS CloudFormation": its response buckets
_BUCKETS = re.compile(
    r"cloudformation-custom-resource-response-[a-z0-9-]+\.s3[a-z0-9.-]*\.amazonaws\.com"
)


class ForeignResponseUrl(ValueError):
    """The event did not come from CloudFormation: the response would go elsewhere."""

    def __init__(self) -> None:
        super().__init__("ResponseURL: is not in one of CloudFormation's buckets")


def check_response_url(url: str) -> None:
    """Raise ForeignResponseUrl unless the URL is CloudFormation's or the local AWS's."""
    target = urlsplit(url)
    if _is_local(target.netloc):
        return
    if target.scheme != "https" or not _BUCKETS.fullmatch(target.netloc):
        raise ForeignResponseUrl


def _is_local(netloc: str) -> bool:
    return netloc != "" and netloc == urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).netloc
