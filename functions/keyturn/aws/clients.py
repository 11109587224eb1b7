"""boto3 clients, made when first used: a cold start pays for what its calls need."""

from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_apigateway import APIGatewayClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_kms import KMSClient
    from types_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from types_boto3_s3 import S3Client
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_ssm import SSMClient
    from types_boto3_stepfunctions import SFNClient

SERVICES = frozenset(
    {
        "apigateway",
        "events",
        "kms",
        "resourcegroupstaggingapi",
        "s3",
        "scheduler",
        "ssm",
        "stepfunctions",
    }
)
_PATIENT = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}
)


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
        """Reads."""
        return boto3.client("ssm", config=_PATIENT)

    @cached_property
    def ssm_timed(self) -> "SSMClient":
        """Writes of the keyset: a lost reply must come back to us, not be repeated behind us."""
        return boto3.client("ssm", config=self._timed)

    @cached_property
    def kms(self) -> "KMSClient":
        """Everything that may be repeated."""
        return boto3.client("kms", config=_PATIENT)

    @cached_property
    def kms_once(self) -> "KMSClient":
        """CreateKey: it has no idempotency token, so a repetition would be a second key."""
        return boto3.client("kms", config=self._once)

    @cached_property
    def s3(self) -> "S3Client":
        """The JWKS site and the history."""
        return boto3.client("s3", config=_PATIENT)

    @cached_property
    def tagging(self) -> "ResourceGroupsTaggingAPIClient":
        """Which KMS keys are this stack's."""
        return boto3.client("resourcegroupstaggingapi", config=_PATIENT)

    @cached_property
    def apigateway(self) -> "APIGatewayClient":
        """The authorizer caches."""
        return boto3.client("apigateway", config=_PATIENT)

    @cached_property
    def events(self) -> "EventBridgeClient":
        """The event bus."""
        return boto3.client("events", config=_PATIENT)

    @cached_property
    def states(self) -> "SFNClient":
        """Executions, for deployment and teardown."""
        return boto3.client("stepfunctions", config=_PATIENT)

    @cached_property
    def scheduler(self) -> "EventBridgeSchedulerClient":
        """Schedules, for teardown."""
        return boto3.client("scheduler", config=_PATIENT)
