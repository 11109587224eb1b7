"""AWS clients, made when first used: a cold start pays for what its calls need.

They are boto3's clients, made by the part of boto3 that makes them: `import boto3` itself would
bring resources and S3 transfers along, which nothing here uses (docs/performance.md).
"""

from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

if TYPE_CHECKING:
    from boto3 import client as _client
    from types_boto3_apigateway import APIGatewayClient
    from types_boto3_apigatewayv2 import ApiGatewayV2Client
    from types_boto3_events import EventBridgeClient
    from types_boto3_kms import KMSClient
    from types_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from types_boto3_s3 import S3Client
    from types_boto3_scheduler import EventBridgeSchedulerClient
    from types_boto3_ssm import SSMClient
    from types_boto3_stepfunctions import SFNClient
else:

    def _client(service, config):
        return session().create_client(service, config=config)


SERVICES = frozenset(
    {
        "apigateway",
        "apigatewayv2",
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
# A read that hangs must fail inside the authorizer: killed at its timeout, it would lose its view.
_PROMPT = Config(
    connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}
)


MODELS = str(Path(__file__).parent / "models")  # botocore's, trimmed to our calls


class _OwnServices(Loader):
    """Finds the models of our services; botocore's own lists four hundred folders to find one."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - Loader's
        """Those that a client is made for here."""
        return sorted(SERVICES)


@cache
def session() -> Session:
    """This process's one session: whoever is configured or given by the environment."""
    made = Session()
    made.register_component("data_loader", _OwnServices([MODELS]))
    return made


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
        return _client("ssm", config=_PROMPT)

    @cached_property
    def ssm_timed(self) -> "SSMClient":
        """Writes of the keyset: a lost reply must come back to us, not be repeated behind us."""
        return _client("ssm", config=self._timed)

    @cached_property
    def kms(self) -> "KMSClient":
        """Everything that may be repeated."""
        return _client("kms", config=_PATIENT)

    @cached_property
    def kms_once(self) -> "KMSClient":
        """CreateKey: it has no idempotency token, so a repetition would be a second key."""
        return _client("kms", config=self._once)

    @cached_property
    def s3(self) -> "S3Client":
        """The JWKS site and the history."""
        return _client("s3", config=_PATIENT)

    @cached_property
    def tagging(self) -> "ResourceGroupsTaggingAPIClient":
        """Which KMS keys are this stack's."""
        return _client("resourcegroupstaggingapi", config=_PATIENT)

    @cached_property
    def apigateway(self) -> "APIGatewayClient":
        """The authorizer caches of REST APIs."""
        return _client("apigateway", config=_PATIENT)

    @cached_property
    def apigatewayv2(self) -> "ApiGatewayV2Client":
        """The authorizer caches of HTTP APIs."""
        return _client("apigatewayv2", config=_PATIENT)

    @cached_property
    def events(self) -> "EventBridgeClient":
        """The event bus."""
        return _client("events", config=_PATIENT)

    @cached_property
    def states(self) -> "SFNClient":
        """Executions, for deployment and teardown."""
        return _client("stepfunctions", config=_PATIENT)

    @cached_property
    def scheduler(self) -> "EventBridgeSchedulerClient":
        """Schedules, for teardown."""
        return _client("scheduler", config=_PATIENT)
