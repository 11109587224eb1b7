"""A deployed stack as operators and callers see it: outputs, API, keyset, workflow."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Self

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError

from keyturn.aws.clients import Clients, client, session
from keyturn.aws.clock import Clock, SystemClock
from keyturn.aws.faults import AwsFault, translate_errors
from keyturn.aws.keyset.key_policy import role_prefix
from keyturn.aws.operator.gateway_authorizers import GatewayAuthorizers
from keyturn.aws.operator.http import Answer, Http
from keyturn.aws.operator.schedules import Schedules
from keyturn.aws.settings import Settings
from keyturn.aws.stack import Stack
from keyturn.keyset import timing
from keyturn.keyset.model import Keyset
from keyturn.keyset.timing import Limits, Times


class Deployment(Stack):
    """The stack as its functions see it, with outputs and HTTP, by this process's session.

    Unlike a function's, its settings are parsed when first used: commands that do not need them
    work even if they are invalid.
    """

    def __init__(
        self,
        stack: str,
        arn: str,
        outputs: Mapping[str, str],
        parameters: Mapping[str, str],
        clock: Clock | None = None,
    ) -> None:
        self.stack = stack
        self.role_prefix = role_prefix(arn)
        self.outputs = outputs
        self.clock = clock or SystemClock()
        self.limits = Limits()
        self._parameters = parameters
        self._http = Http()

    @classmethod
    def find(cls, stack: str) -> Self:
        """The stack with this name; raises AwsFault."""
        with translate_errors("cloudformation:DescribeStacks"):
            answer = client("cloudformation").describe_stacks(StackName=stack)
        description = answer["Stacks"][0]
        outputs = {
            item["OutputKey"]: item["OutputValue"] for item in description.get("Outputs", [])
        }
        parameters = {
            item["ParameterKey"]: item["ParameterValue"]
            for item in description.get("Parameters", [])
        }
        return cls(stack, description["StackId"], outputs, parameters)

    @cached_property
    def settings(self) -> Settings:  # type: ignore[override]  # mypy takes it for read-only
        """What the stack was deployed with; raises InvalidSettings."""
        parameters = {_to_snake_case(name): value for name, value in self._parameters.items()}
        times = json.dumps({name: parameters[name] for name in Times.__dataclass_fields__})
        own_stage = [self.outputs["ApiStage"]] if int(parameters["result_ttl"]) else []
        return Settings.from_texts(
            {
                **parameters,
                "stack": self.stack,
                "bucket": self.outputs["BucketName"],
                "issuer": self.outputs["Issuer"],
                "token_url": self.outputs["TokenUrl"],
                "role_prefix": self.role_prefix,
                "times": times,
                "flush_targets": ",".join([*own_stage, parameters["flush_targets"]]),
                "distribution": self.outputs.get("DistributionId", ""),
            }
        )

    @cached_property
    def clients(self) -> Clients:  # type: ignore[override]  # likewise
        """Clients with the stack's own ω: `repair` and `--direct` write to its keyset."""
        return Clients(int(self._parameters["WriteDelay"]))

    @property
    def revocation_bound(self) -> timedelta:
        """From a revocation until no authorizer accepts the kid: C + G + ε."""
        return timing.revocation_bound(self.settings.times)

    @property
    def region(self) -> str:
        """The stack's Region."""
        return str(session().get_config_variable("region"))

    @cached_property
    def schedules(self) -> Schedules:
        """The schedules that start rotation and reconcile."""
        return Schedules(self.clients.scheduler)

    @cached_property
    def authorizers(self) -> GatewayAuthorizers:
        """The APIs that use the authorizer."""
        return GatewayAuthorizers(self.clients)

    @property
    def admits_accounts(self) -> bool:
        """Whether APIs of other accounts may invoke the authorizer; these cannot be listed."""
        return bool(self._parameters.get("ConsumerAccounts"))

    @property
    def keyset(self) -> Keyset:
        """The keyset as stored now."""
        return self.keysets.read().keyset

    def post_token(
        self,
        body: Mapping[str, Any] | bytes,
        *,
        client: str = "operator",
        content_type: str = "application/json",
        signed: bool = True,
    ) -> Answer:
        """`POST /token/{client}` with the caller's IAM signature; raises NoReply, NotSent."""
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"{self.outputs['TokenUrl']}/{client}"
        request = AWSRequest("POST", url, data=text, headers={"Content-Type": content_type})
        if signed:
            with translate_errors("POST /token"):
                credentials = session().get_credentials()
                if credentials is None:
                    raise NoCredentialsError
                SigV4Auth(credentials, "execute-api", self.region).add_auth(request)
        return self._http.send("POST", url, dict(request.headers), text)

    def get(self, path: str, token: str | None = None) -> Answer:
        """`GET` a path of the API, with a bearer token if there is one."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._http.send("GET", self.outputs["ApiUrl"] + path, headers)

    def fetch(self, url: str) -> Answer:
        """`GET` a public document."""
        return self._http.send("GET", url, {})

    def start(self, event: Mapping[str, Any]) -> str:
        """Start an execution with this input (docs/workflow.md); returns its ARN."""
        return self.executions.start(self.outputs["StateMachineArn"], event)

    def caller(self) -> str:
        """The ARN of the principal that these credentials belong to."""
        with translate_errors("sts:GetCallerIdentity"):
            identity = client("sts").get_caller_identity()
        return str(identity["Arn"])

    def clock_offset(self) -> timedelta:
        """How far AWS's clock is ahead of this machine's, by the Date header of a response.

        Date has whole seconds (RFC 9110 section 6.6.1), so the result is only exact to half a
        second.
        """
        sent = self.clock.now()
        with translate_errors("ssm:GetParameters"):
            answer = self.clients.ssm.get_parameters(Names=[f"/keyturn/{self.stack}/keyset/clock"])
        date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return date + timedelta(seconds=0.5) - (sent + (self.clock.now() - sent) / 2)

    def log_lines(self, containing: str) -> list[str]:
        """The log lines of the stack's functions that contain this text."""
        with translate_errors("logs:FilterLogEvents"):
            pages = (
                client("logs")
                .get_paginator("filter_log_events")
                .paginate(logGroupName=self.outputs["LogGroup"])
            )
            messages = [event.get("message", "") for page in pages for event in page["events"]]
        return [line for line in messages if containing in line]


def _to_snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def failed_resources(stack: str) -> list[str]:
    """Why CloudFormation could not create or update the stack, resource by resource."""
    try:
        with translate_errors("cloudformation:DescribeStackEvents"):
            pages = (
                client("cloudformation")
                .get_paginator("describe_stack_events")
                .paginate(StackName=stack)
            )
            events = [event for page in pages for event in page["StackEvents"]]
    except AwsFault:
        return []
    return [
        f"{event.get('LogicalResourceId')}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in reversed(events)
        if event.get("ResourceStatus", "").endswith("_FAILED")
    ]
