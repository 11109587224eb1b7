"""One MiniStack for all end-to-end tests, with stacks deployed by the real SAM CLI."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from keyturn.aws.executions import RUNNING, Visit
from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.local import LocalAws, Workshop, running
from tools.command import KEYTURN
from tools.demo import story

ROOT = Path(__file__).parents[2]
Deploy = Callable[..., Deployment]
Finish = Callable[[Deployment, str], list[Visit]]
Keyturn = Callable[..., dict[str, Any]]


def asking_for(kid: str) -> dict[str, str]:
    """The input of a rotation that an operator asks for."""
    return {"mode": "scheduled", "started_by": "test", "supersede": kid}


@pytest.fixture(scope="session")
def workshop() -> Workshop:
    """The tools, and a fresh `sam build`."""
    workshop = Workshop(ROOT)
    workshop.build()
    return workshop


@pytest.fixture(scope="session")
def aws(workshop: Workshop) -> Iterator[LocalAws]:
    """A running local AWS."""
    with running(workshop, ROOT / "build/tmp/e2e") as aws:
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


@pytest.fixture(scope="session")
def finish() -> Finish:
    """Wait for an execution that succeeds; returns the states it went through."""

    def finish(deployment: Deployment, execution: str) -> list[Visit]:
        for _ in range(480):
            status = deployment.executions.status(execution)
            if status != RUNNING:
                assert status == "SUCCEEDED"
                return deployment.executions.visits(execution)
            time.sleep(0.25)
        raise AssertionError("the execution runs for more than two minutes")

    return finish


@pytest.fixture
def keyturn(deployment: Deployment) -> Keyturn:
    """Run the command against the shared stack; returns its JSON."""

    def run(*arguments: str, status: int = 0) -> dict[str, Any]:
        ran = subprocess.run(
            [str(KEYTURN), *arguments, "--json"], capture_output=True, text=True, check=False
        )
        assert ran.returncode == status, ran.stdout + ran.stderr
        return json.loads(ran.stdout) if ran.stdout else {"error": ran.stderr}

    assert deployment.keyset.active
    return run
