"""What the environment tells a run, and what it refuses before it touches anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import boto3
from botocore.exceptions import ClientError

LOCAL_STACK = "keyturn-conformance"
_LOOPBACK = "http://127.0.0.1:"


class Refused(Exception):
    """The run does not begin; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Order:
    """`STACK`, `CONFIRM`, `LOCAL` and `AWS_ENDPOINT_URL`; `endpoint` is that of a local AWS that runs."""

    stack: str
    confirm: str
    local: bool
    endpoint: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Raise Refused unless a stack is named; a local AWS has a name of its own for it."""
        endpoint = environ.get("AWS_ENDPOINT_URL", "")
        if endpoint and not endpoint.startswith(_LOOPBACK):
            raise Refused(
                f"AWS_ENDPOINT_URL is {endpoint}: unset it, or name a local AWS on 127.0.0.1"
            )
        local = bool(environ.get("LOCAL") or endpoint)
        stack = environ.get("STACK") or (LOCAL_STACK if local else "")
        if not stack:
            raise Refused(
                "STACK is not set: name a stack that does not exist, STACK=keyturn-conformance"
            )
        return cls(stack, environ.get("CONFIRM", ""), local, endpoint)

    @property
    def stacks(self) -> tuple[str, ...]:
        """The names of all stacks that the run creates and deletes, in this order of creation."""
        return (
            self.stack,
            *(f"{self.stack}-{part}" for part in ("alerts", "rest", "http", "question")),
        )

    def confirmed(self) -> str:
        """The account's id; raises Refused unless CONFIRM repeats it, or the AWS is a local one."""
        account = str(boto3.client("sts").get_caller_identity()["Account"])
        if not self.local and self.confirm != account:
            raise Refused(
                f"these credentials belong to account {account}: repeat its id as CONFIRM={account} "
                "to create stacks and KMS keys there"
            )
        return account

    def insist_that_nothing_is_there(self) -> None:
        """Raise Refused if a stack of any of the names exists, or has left its keyset."""
        for stack in self.stacks:
            if stack_status(stack):
                raise Refused(f"the stack {stack} exists: choose another STACK")
        stored = boto3.client("ssm").get_parameters_by_path(
            Path=f"/keyturn/{self.stack}", Recursive=True, MaxResults=1
        )
        if stored["Parameters"]:
            raise Refused(f"an earlier stack left /keyturn/{self.stack}/: choose another STACK")


def stack_status(stack: str) -> str | None:
    """CloudFormation's status of a stack by its name or id; None if there is none."""
    try:
        [described] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return None if described["StackStatus"] == "DELETE_COMPLETE" else described["StackStatus"]
