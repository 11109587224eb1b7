"""The three clouds that run the same cases: our fakes, moto and MiniStack."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from botocore.exceptions import ClientError
from moto import mock_aws

from keyturn.aws.clients import Clients
from keyturn.cli.local import LocalAws
from tests.cloud.account import Account
from tests.cloud.material import key_material
from tests.cloud.scheduler import SchedulerClient
from tests.cloud.states import StatesClient
from tests.cloud.wire import DirectWire

BUCKET = "keyturn-contract"
_NAME = "keyturn-contract"
_WAITING = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}
_names = count(1)


@dataclass(frozen=True, slots=True)
class Cloud:
    """One AWS, real or not."""

    clients: Any  # as keyturn.aws.clients.Clients
    began: datetime
    machine: str  # the ARN of a state machine whose executions wait
    threads: bool = True  # whether it can be called by many at once

    def fresh(self, prefix: str) -> str:
        """An unused name."""
        return f"{prefix}{next(_names)}"

    def at_once(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """The result of each call: its answer, or the refusal's code and status."""
        with ThreadPoolExecutor(len(calls) if self.threads else 1) as pool:
            return list(pool.map(result, calls))


def result(call: Callable[[], Any]) -> Any:
    """The answer, or the refusal's code and status."""
    try:
        return call()
    except ClientError as error:
        return refusal_of(error)


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, int]:
    """Insist that a call is refused; returns code and status."""
    try:
        answer = call(**arguments)
    except ClientError as error:
        return refusal_of(error)
    raise AssertionError(f"not refused: {answer}")


def refusal_of(error: ClientError) -> tuple[str, int]:
    """What the product reads of an error (keyturn.aws.faults)."""
    return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]


@contextmanager
def fake() -> Iterator[Cloud]:
    """Our fakes, on a wire that only carries calls."""
    wire, began = DirectWire(), datetime.now(UTC)
    account = Account(wire, began, key_material())
    clients = account.clients()
    clients.scheduler = SchedulerClient(wire)
    clients.states = StatesClient(
        wire, began, lambda _input: SimpleNamespace(over=False, failure=None)
    )
    yield Cloud(clients, began, f"arn:aws:states:us-east-1:1:stateMachine:{_NAME}", threads=False)


@contextmanager
def moto() -> Iterator[Cloud]:
    """moto, called in this process."""
    with patch.dict(os.environ), mock_aws():
        os.environ.pop("AWS_ENDPOINT_URL", None)
        yield _over_boto3()


@contextmanager
def ministack(aws: LocalAws) -> Iterator[Cloud]:
    """MiniStack, called over HTTP."""
    with patch.dict(os.environ, aws.environ):
        yield _over_boto3()


def _over_boto3() -> Cloud:
    began = datetime.now(UTC)
    clients = Clients(write_delay=30)
    clients.s3.create_bucket(Bucket=BUCKET)
    machine = clients.states.create_state_machine(
        name=f"{_NAME}-{next(_names)}",
        definition=json.dumps(_WAITING),
        roleArn="arn:aws:iam::123456789012:role/states",
    )
    return Cloud(clients, began, machine["stateMachineArn"])
