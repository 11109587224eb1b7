"""AWS clients, made when first used: a cold start pays for what its calls need.

They are boto3's clients, made by the part of boto3 that makes them: `import boto3` itself would
bring resources and S3 transfers along, which nothing here uses (docs/performance.md).

One session makes all of them, and signs what is signed without a client: whose credentials they are
and which Region they go to is decided once in a process.
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
        """A client of this process's session; raises NotSent."""
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
# A call that hangs must fail inside issuer and authorizer: killed at its timeout, a container loses its view.
_PROMPT = Config(
    connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
)


MODELS = str(Path(__file__).parent / "models")  # botocore's, trimmed to our calls


@cache
def _loader() -> Loader:
    """Our models before botocore's. It remembers those it has read, whatever the session."""
    return Loader([MODELS])


@cache
def session() -> Session:
    """This process's one session, configured by the environment (and by aws/credentials.py)."""
    aws_session = Session()
    aws_session.register_component("data_loader", _loader())
    if region := os.environ.get("AWS_REGION"):  # botocore itself reads AWS_DEFAULT_REGION only
        aws_session.set_config_variable("region", region)
    return aws_session


class Clients:
    """One client per service and container; `write_delay` is ω in seconds (docs/time.md)."""

    def __init__(self, write_delay: int) -> None:
        # What is decided by the clock lands within ω: one attempt, given up before ω is over.
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
        """Writes of the keyset: a lost reply must come back to us, not be repeated behind us."""
        return client("ssm", config=self._timed)

    @cached_property
    def kms(self) -> "KMSClient":
        """Everything that may be repeated."""
        return client("kms", config=_PROMPT)

    @cached_property
    def kms_once(self) -> "KMSClient":
        """CreateKey: it has no idempotency token, so a repetition would be a second key."""
        return client("kms", config=self._once)

    @cached_property
    def s3(self) -> "S3Client":
        """The JWKS site and the history."""
        return client("s3", config=PATIENT)

    @cached_property
    def tagging(self) -> "ResourceGroupsTaggingAPIClient":
        """Which KMS keys are this stack's."""
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
        """The edge's copies of the JWKS: optional, so one attempt."""
        return client("cloudfront", config=self._once)

    @cached_property
    def events(self) -> "EventBridgeClient":
        """The event bus."""
        return client("events", config=PATIENT)

    @cached_property
    def states(self) -> "SFNClient":
        """Executions, for deployment and teardown."""
        return client("stepfunctions", config=PATIENT)

    @cached_property
    def scheduler(self) -> "EventBridgeSchedulerClient":
        """Schedules, for teardown."""
        return client("scheduler", config=PATIENT)
