"""A deployed stack as its operators and callers see it: outputs, API, keyset, workflow."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from keyturn.aws.clients import Clients
from keyturn.aws.clock import Clock, SystemClock
from keyturn.aws.executions import Executions
from keyturn.aws.faults import AwsFault, translated
from keyturn.aws.keyset_store import KeysetStore
from keyturn.aws.kms_keys import KmsKeys
from keyturn.keyset.model import Keyset

_WRITE_DELAY = 20  # seconds; this side writes nothing to the keyset


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `body` is the parsed JSON, or the text where it is none."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Deployment:
    """One stack by its name, with the credentials of the environment."""

    def __init__(self, stack: str, outputs: Mapping[str, str], clock: Clock) -> None:
        self.stack = stack
        self.outputs = outputs
        self.clients = Clients(_WRITE_DELAY)
        self.executions = Executions(self.clients, clock)
        self.kms = KmsKeys(stack, self.clients)
        self._clock = clock
        self._session = boto3.Session()
        self._http = urllib3.PoolManager(retries=False, timeout=30, maxsize=8)

    @classmethod
    def find(cls, stack: str, clock: Clock | None = None) -> Self:
        """The stack with this name; raises AwsFault."""
        with translated("cloudformation:DescribeStacks"):
            described = boto3.client("cloudformation").describe_stacks(StackName=stack)
        outputs = {
            output["OutputKey"]: output["OutputValue"]
            for output in described["Stacks"][0].get("Outputs", [])
        }
        return cls(stack, outputs, clock or SystemClock())

    @cached_property
    def keysets(self) -> KeysetStore:
        """The truth."""
        return KeysetStore(self.stack, self._clock, self.clients.ssm, self.clients.ssm_timed)

    @property
    def keyset(self) -> Keyset:
        """The keyset as it stands."""
        return self.keysets.read().keyset

    def post_token(self, body: Mapping[str, Any] | bytes, *, signed: bool = True) -> Answer:
        """`POST /token` with the caller's IAM signature."""
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = self.outputs["TokenUrl"]
        request = AWSRequest("POST", url, data=text, headers={"Content-Type": "application/json"})
        credentials = self._session.get_credentials()
        if signed and credentials:
            SigV4Auth(credentials, "execute-api", self._session.region_name).add_auth(request)
        return self._send("POST", url, dict(request.headers), text)

    def get(self, path: str, token: str | None = None) -> Answer:
        """`GET` a path of the API, with a bearer token if there is one."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._send("GET", self.outputs["ApiUrl"] + path, headers)

    def fetch(self, url: str) -> Answer:
        """`GET` a public document."""
        return self._send("GET", url, {})

    def rotate(self, *, started_by: str, supersede: str | None = None) -> str:
        """Start a rotation; with `supersede`, although it is not due. Returns the execution."""
        event = {"mode": "scheduled", "started_by": started_by}
        if supersede:
            event["supersede"] = supersede
        return self.executions.start(self.outputs["StateMachineArn"], event)

    def log_lines(self, containing: str) -> list[str]:
        """What the stack's functions logged, the lines that contain a text."""
        with translated("logs:FilterLogEvents"):
            pages = (
                boto3.client("logs")
                .get_paginator("filter_log_events")
                .paginate(logGroupName=self.outputs["LogGroup"])
            )
            messages = [event.get("message", "") for page in pages for event in page["events"]]
        return [line for line in messages if containing in line]

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        answer = self._http.request(method, url, headers=headers, body=body)
        try:
            parsed = answer.json()
        except ValueError:
            parsed = answer.data.decode(errors="replace")
        return Answer(answer.status, answer.headers, parsed)


def failed_resources(stack: str) -> list[str]:
    """Why CloudFormation could not create or update the stack, resource by resource."""
    try:
        with translated("cloudformation:DescribeStackEvents"):
            pages = (
                boto3.client("cloudformation")
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
