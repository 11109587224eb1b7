"""AWS clients, created when first used: a cold start pays only for those that it needs.

They are boto3's clients, but created by botocore: `import boto3` would also load resources and S3
transfers, which nothing here uses (docs/performance.md).

One session creates all of them, and signs requests that are sent without a client. So credentials
and Region are chosen once per process.
"""

import os
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

from keyturn.aws.faults import translate_errors

if TYPE_CHECKING:
    from boto3 import client as client
    from types_boto3_apigateway import APIGatewayClient
    from types_boto3_apigatewayv2 import ApiGatewayV2Client
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_kms import KMSClient
    from types_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from types_boto3_s3 import S3Client
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_ssm import SSMClient
    from types_boto3_stepfunctions import SFNClient
else:

    def client(service, *, config=None):
        """A client from this process's session; raises NotSent."""
        with translate_errors(service):
            return session().create_client(service, config=config or PATIENT)


SERVICES = frozenset(
    {
        "apigateway",
        "apigatewayv2",
        "cloudformation",
        "cloudfront",
        "events",
        "kms",
        "resourcegroupstaggingapi",
        "s3",
        "scheduler",
        "ssm",
        "stepfunctions",
    }
)
PATIENT = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
)
# In issuer and authorizer a hanging call must fail before the function's timeout, which would end
# the container and lose its view.
_PROMPT = Config(
    connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
)


MODELS = str(Path(__file__).parent / "models")  # botocore's, trimmed to our calls


@cache
def _loader() -> Loader:
    """Prefers our models to botocore's; caches what it has loaded, across sessions."""
    return Loader([MODELS])


@cache
def session() -> Session:
    """This process's only session, configured by the environment (and by aws/operator/credentials.py)."""
    aws_session = Session()
    aws_session.register_component("data_loader", _loader())
    if region := os.environ.get("AWS_REGION"):  # botocore itself only reads AWS_DEFAULT_REGION
        aws_session.set_config_variable("region", region)
    return aws_session


class Clients:
    """One client per service and container; `write_delay` is ω in seconds (docs/time.md)."""

    def __init__(self, write_delay: int) -> None:
        # A write that depends on the clock must land within ω: one attempt, timed out before ω.
        self._timed = Config(
            connect_timeout=write_delay / 3,
            read_timeout=write_delay / 3,
            retries={"total_max_attempts": 1},
        )
        self._once = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1})

    @cached_property
    def ssm(self) -> "SSMClient":
        """Reads of the keyset."""
        return client("ssm", config=_PROMPT)

    @cached_property
    def ssm_timed(self) -> "SSMClient":
        """Writes of the keyset: botocore must report a lost reply, not retry by itself."""
        return client("ssm", config=self._timed)

    @cached_property
    def kms(self) -> "KMSClient":
        """All KMS calls that may be repeated."""
        return client("kms", config=_PROMPT)

    @cached_property
    def kms_once(self) -> "KMSClient":
        """CreateKey has no idempotency token, so a retry would create a second key."""
        return client("kms", config=self._once)

    @cached_property
    def s3(self) -> "S3Client":
        """The JWKS site and the history."""
        return client("s3", config=PATIENT)

    @cached_property
    def tagging(self) -> "ResourceGroupsTaggingAPIClient":
        """Finds this stack's KMS keys."""
        return client("resourcegroupstaggingapi", config=PATIENT)

    @cached_property
    def apigateway(self) -> "APIGatewayClient":
        """The authorizer caches of REST APIs."""
        return client("apigateway", config=PATIENT)

    @cached_property
    def apigatewayv2(self) -> "ApiGatewayV2Client":
        """The authorizer caches of HTTP APIs."""
        return client("apigatewayv2", config=PATIENT)

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """What CloudFormation is doing with the stack."""
        return client("cloudformation", config=PATIENT)

    @cached_property
    def cloudfront(self) -> Any:
        """CloudFront's copies of the JWKS: optional, so one attempt."""
        return client("cloudfront", config=self._once)

    @cached_property
    def events(self) -> "EventBridgeClient":
        """The event bus."""
        return client("events", config=PATIENT)

    @cached_property
    def states(self) -> "SFNClient":
        """The workflow's executions."""
        return client("stepfunctions", config=PATIENT)

    @cached_property
    def scheduler(self) -> "EventBridgeSchedulerClient":
        """The schedules, for `keyturn doctor`."""
        return client("scheduler", config=PATIENT)
