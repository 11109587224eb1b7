"""The examples, deployed beside the stack that the other tests share."""

import json
from collections.abc import Callable

import boto3
import pytest
import urllib3

from keyturn.aws.deployment import Deployment
from keyturn.cli.local import LocalAws, Workshop
from tests.conformance.place import outputs_of
from tests.e2e.conftest import ROOT

Example = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def example(workshop: Workshop, aws: LocalAws) -> Example:
    """Deploy examples/<name> with these parameters, as written; returns the stack's outputs."""

    def example(name: str, **parameters: str) -> dict[str, str]:
        workshop.sam_deploy(
            name,
            *("--template-file", str(ROOT / "examples" / name / "template.yaml")),
            *("--config-env", "local"),
            *("--parameter-overrides", *(f'{n}="{v}"' for n, v in parameters.items())),
        )
        return outputs_of(name)

    return example


@pytest.fixture(scope="module")
def orders_url(example: Example, deployment: Deployment, aws: LocalAws) -> str:
    """The protected route of another stack, as this machine reaches it."""
    made = example("protected-api", KeyturnAuthorizer=deployment.outputs["AuthorizerArn"])
    api, stage = made["Stage"].split("/")
    assert made["OrdersUrl"].endswith(f"/{stage}/orders")
    return f"{aws.endpoint}/restapis/{api}/{stage}/_user_request_/orders"


def _status(url: str, token: str | None) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return urllib3.request("GET", url, headers=headers).status


def test_another_stack_s_api_is_protected(orders_url: str, deployment: Deployment) -> None:
    """401 without a token, 403 without the route's scope, 200 with it."""
    wrong, right = (
        deployment.post_token({"subject": "alice", "scope": scope}).body["access_token"]
        for scope in ("whoami:read", "orders:read")
    )
    answers = [_status(orders_url, token) for token in (None, wrong, right)]
    assert answers == [401, 403, 200]


def test_another_stack_s_function_gets_tokens(
    example: Example, orders_url: str, deployment: Deployment
) -> None:
    """By its role, without a secret; the route learns in whose name it was called."""
    made = example(
        "token-client",
        KeyturnStack=deployment.stack,
        KeyturnTokenUrl=deployment.outputs["TokenUrl"],
        KeyturnStage=deployment.outputs["ApiStage"],
        OrdersUrl=orders_url,
    )
    invoked = boto3.client("lambda").invoke(FunctionName=made["ClientFunction"])
    answer = json.load(invoked["Payload"])
    assert answer["status"] == 200, answer
    assert json.loads(answer["body"]) == {"orders": [7], "of": "nightly-report"}
