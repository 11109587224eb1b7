"""One MiniStack for all end-to-end tests, with stacks deployed by the real SAM CLI."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from keyturn.aws.executions import RUNNING, SUCCEEDED, Visit
from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.local import LocalAws, Workshop, running
from tests.definition import ROOT
from tools.command import KEYTURN, run
from tools.demo import story

Deploy = Callable[..., Deployment]


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """The tools, and a fresh `sam build`; each process of the tests has its own."""
    workshop = Workshop(ROOT, tmp_path_factory.mktemp("workshop"))
    workshop.build()
    return workshop


@pytest.fixture(scope="session")
def aws(workshop: Workshop) -> Iterator[LocalAws]:
    """A running local AWS."""
    with running(workshop) as aws:
        yield aws


@pytest.fixture(scope="session")
def deploy(workshop: Workshop, aws: LocalAws) -> Deploy:
    """Deploy a stack with the demo's times and the parameters given."""

    def deploy(stack: str, **parameters: object) -> Deployment:
        workshop.deploy(aws, stack, {**story.PARAMETERS, **parameters})
        return Deployment.find(stack)

    return deploy


@pytest.fixture(scope="session")
def deployment(deploy: Deploy) -> Deployment:
    """The stack that most tests share; each leaves it with one active and one standby key."""
    return deploy(
        "keyturn",
        OperatorScopes="whoami:read,orders:read",
        RouteScopes="GET /whoami=whoami:read;GET /orders=orders:read",
    )


def start_rotation(deployment: Deployment, kid: str) -> str:
    """Start an execution that supersedes this key, as an operator does; returns its ARN."""
    return deployment.start(story.rotation_of(kid, "test"))


def finish(deployment: Deployment, execution: str) -> list[Visit]:
    """Wait for an execution that succeeds; returns the states it went through."""
    executions = deployment.executions
    story.wait_until(
        lambda: executions.status(execution) != RUNNING,
        120,
        "the execution runs for more than two minutes",
    )
    assert executions.status(execution) == SUCCEEDED
    return executions.visits(execution)


def keyturn(*arguments: str, status: int = 0) -> dict[str, Any]:
    """Run the operator's command against the shared stack; returns its JSON."""
    ran = run(KEYTURN, *arguments, "--json")
    assert ran.returncode == status, ran.stdout + ran.stderr
    return json.loads(ran.stdout) if ran.stdout else {"error": ran.stderr}
