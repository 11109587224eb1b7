"""The command as a person runs it, with a stack behind it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from keyturn.aws.executions import ExecutionRequest
from keyturn.aws.faults import NoReply
from keyturn.aws.keyset.well_known import JWKS
from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.operator.http import Answer
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.cli.terminal import Terminal
from keyturn.rotation.reconcile import run as reconcile
from tests.cloud.account import Account
from tests.cloud.gateway import HttpGateway, RestGateway
from tests.cloud.scheduler import SchedulerClient
from tests.unit.cli.deployed import Deployed
from tests.unit.cli.running import keyturn
from tests.unit.conftest import REGION
from tests.unit.stage import START

SCHEDULES = {"demo-rotation": "rate(1 day)", "demo-reconcile": "rate(10 minutes)"}
TARGET = {"FlexibleTimeWindow": {"Mode": "OFF"}, "Target": {"Arn": "arn:f", "RoleArn": "arn:r"}}
AUTHORIZER = f"arn:aws:lambda:{REGION}:123456789012:function:authorize"
STACK_ARN = f"arn:aws:cloudformation:{REGION}:123456789012:stack/demo/1"
MACHINE = f"arn:aws:states:{REGION}:123456789012:stateMachine:rotation"


@dataclass
class Web:
    """The public URL: the bucket's object unless a test sets something else."""

    cloud: Account
    status: int = 200
    headers: dict[str, str] | None = None
    body: Any = None
    away: bool = False

    def fetch(self, url: str) -> Answer:
        """Like Deployment's."""
        if self.away:
            raise NoReply(f"GET {url}", "MaxRetryError")
        if JWKS not in self.cloud.s3.objects:
            return Answer(404, {}, "NoSuchKey")
        stored = self.cloud.s3.objects[JWKS][-1]
        headers = {"Cache-Control": stored.cache_control} if self.headers is None else self.headers
        body = json.loads(stored.body) if self.body is None else self.body
        return Answer(self.status, headers, body)


@dataclass
class Machine:
    """The state machine's executions."""

    running: tuple[Any, ...] = ()
    ended: tuple[Any, ...] = ()
    inputs: dict[str, Any] | None = None
    states: tuple[Any, ...] = ()

    def latest(self, _machine: str, status: str) -> list[Any]:
        """Like Executions'."""
        matches = [one for one in (*self.running, *self.ended) if one.status == status]
        return sorted(matches, key=lambda one: one.started, reverse=True)

    def read_request(self, arn: str) -> ExecutionRequest:
        """Like Executions'."""
        default = {"mode": "scheduled", "started_by": "schedule"}
        return ExecutionRequest.parse(json.dumps((self.inputs or {}).get(arn, default)))

    def visits(self, _arn: str) -> list[Any]:
        """Like Executions'."""
        return list(self.states)


@pytest.fixture(autouse=True)
def _log_level_of_others():
    """The command silences the handlers' logger; later tests read its lines."""
    level = logger.log_level
    yield
    logger.setLevel(level)


@pytest.fixture
def web(cloud) -> Web:
    """The public URL."""
    return Web(cloud)


@pytest.fixture
def machine() -> Machine:
    """The executions."""
    return Machine()


@pytest.fixture
def offset() -> SimpleNamespace:
    """How many seconds AWS's clock is ahead."""
    return SimpleNamespace(seconds=0)


@pytest.fixture
def deployment(booted: Stack, clock, aws, clients, web, machine, offset, monkeypatch) -> Deployment:
    """The deployed stack, as the command finds it."""
    outputs = {
        "StateMachineArn": MACHINE,
        "JwksUrl": f"{booted.settings.issuer}/jwks",
        "ApiStage": "own/v1",
        "AuthorizerArn": AUTHORIZER,
        "ScheduleNames": "demo-rotation,demo-reconcile",
    }
    monkeypatch.setenv("AWS_REGION", REGION)
    deployment = Deployment("demo", STACK_ARN, outputs, {}, clock)
    deployment.__dict__.update(
        fetch=web.fetch,
        clock_offset=lambda: timedelta(seconds=offset.seconds),
        settings=booted.settings,
        clients=booted.clients,
        executions=machine,
    )
    clients.scheduler = SchedulerClient(aws)
    for name, expression in SCHEDULES.items():
        clients.scheduler.create_schedule(Name=name, ScheduleExpression=expression, **TARGET)
    clients.apigateway, clients.apigatewayv2 = RestGateway(aws, START), HttpGateway(aws)
    monkeypatch.setattr("keyturn.cli.command.use_session", lambda *_: None)
    monkeypatch.setattr(Deployment, "find", lambda _stack: deployment)
    return deployment


@pytest.fixture
def deployed(demo_times: Any) -> Deployed:
    """A token is good once, then accepted once more, then refused."""
    return Deployed(demo_times, [200, 200, 401])


@pytest.fixture
def terminal() -> Terminal:
    """Speaks to people."""
    return Terminal("demo", as_json=False)


@pytest.fixture
def doctor(deployment, booted, monkeypatch) -> Callable[..., dict[str, str]]:
    """What doctor finds, by code, with its remedy; `--fix` invokes reconcile itself."""
    monkeypatch.setattr("keyturn.cli.doctor.command.invoke", lambda *_: reconcile(booted))

    def doctor(*options):
        output = json.loads(keyturn("doctor", "--json", *options).stdout)
        return {finding["code"]: finding["remedy"] for finding in output["findings"]}

    return doctor
