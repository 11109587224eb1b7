"""The examples, deployed beside the stack that the other tests share."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest
import urllib3
from cfnlint.decode import cfn_yaml

from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.operator.functions import invoke
from keyturn.cli.local import LocalAws, Workshop
from tests.account.resolve import Deployment as Deployed
from tests.e2e.conftest import ROOT
from tests.synthesized import translate_errors
from tools.local_stacks import outputs_of

Example = Callable[..., dict[str, str]]
Token = Callable[[str], str]
AUDIENCE = "https://orders.example"
_PATIENCE = 30  # seconds, with cold starts behind the API


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
    api, stage = _api_and_stage()
    assert made["OrdersUrl"].endswith(f"/{stage}/orders")
    return f"{aws.endpoint}/restapis/{api}/{stage}/_user_request_/orders"


@pytest.fixture(scope="module")
def template() -> Mapping[str, Any]:
    """The definition of the protected API, as SAM makes it."""
    path = ROOT / "examples/protected-api/template.yaml"
    example = Deployed(translate_errors(cfn_yaml.load(str(path))))
    body: Mapping[str, Any] = example.resources("AWS::ApiGateway::RestApi")["Api"]["Body"]
    return body


def _api_and_stage() -> list[str]:
    return outputs_of("protected-api")["Stage"].split("/")


@pytest.fixture(scope="module")
def token(deployment: Deployment) -> Token:
    """A token for the example's audience, by a client that may have any scope of the tests."""
    document = {"audiences": [AUDIENCE], "scopes": ["orders:read", "whoami:read"]}
    name = f"/keyturn/{deployment.stack}/clients/examples"
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name=name, Value=json.dumps(document), Type="String", Overwrite=True)

    def token(scope: str) -> str:
        answer = deployment.post_token({"scope": scope, "audience": AUDIENCE}, client="examples")
        assert answer.status == 200, answer.body
        return str(answer.body["access_token"])

    return token


def _status(url: str, token: str | None) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return urllib3.request("GET", url, headers=headers, timeout=_PATIENCE).status


def test_another_stack_s_api_is_protected(
    orders_url: str, deployment: Deployment, token: Token
) -> None:
    """By its own document: 401 without a token and for another API's, 403 without the scope, else 200."""
    foreign = deployment.post_token({"subject": "alice", "scope": "orders:read"}).body
    tokens = (None, foreign["access_token"], token("whoami:read"), token("orders:read"))
    assert [_status(orders_url, one) for one in tokens] == [401, 401, 403, 200]


def test_the_token_of_another_stack_s_api_opens_not_this_one_s(
    orders_url: str, deployment: Deployment, token: Token
) -> None:
    """Its audience is the other API's, whatever scopes it has."""
    good_there = token("whoami:read")
    assert deployment.get("/whoami", good_there).status == 401
    own = deployment.post_token({"subject": "alice", "scope": "whoami:read"}).body["access_token"]
    assert deployment.get("/whoami", own).status == 200


def test_a_narrowed_api_lets_nobody_in(
    orders_url: str, deployment: Deployment, token: Token
) -> None:
    """From C + ε on, whom its former document let in gets 403; and 200 again with that document."""
    ssm, bearer = boto3.client("ssm"), token("orders:read")
    name = f"/keyturn/{deployment.stack}/apis/{_api_and_stage()[0]}"
    before = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    narrowed = json.dumps({"audience": AUDIENCE, "routes": {"GET /orders": "orders:all"}})
    assert _status(orders_url, bearer) == 200
    for text, status in ((narrowed, 403), (before, 200)):
        ssm.put_parameter(Name=name, Value=text, Overwrite=True)
        time.sleep(deployment.revocation_bound.total_seconds())
        assert _status(orders_url, bearer) == status


def test_clients_find_the_issuer_of_an_api(orders_url: str, deployment: Deployment) -> None:
    """RFC 9728, from the API's document. MiniStack sends no event of SSM's: the schedule's turn."""
    invoke(deployment.stack, "PublishApisFunction")
    issuer = deployment.outputs["Issuer"]
    shown = urllib3.request("GET", f"{issuer}/.well-known/oauth-protected-resource/orders.example")
    assert shown.json() == {
        "resource": AUDIENCE,
        "authorization_servers": [issuer],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["orders:read"],
    }


def test_the_authorizer_s_policy_stays_empty(orders_url: str, deployment: Deployment) -> None:
    """Neither the stack's own API nor another stack's adds a statement: each invokes it by a role."""
    arn = deployment.outputs["AuthorizerArn"]
    policy = boto3.client("lambda").get_policy(FunctionName=arn)["Policy"]  # on AWS there is none
    assert json.loads(policy)["Statement"] == []


def test_a_refusal_says_what_is_missing(
    orders_url: str, token: Token, template: Mapping[str, Any]
) -> None:
    """WWW-Authenticate on 401 and 403, as RFC 6750 section 3 asks.

    MiniStack reads no gateway responses in an API's definition: they are put here one by one.
    """
    client, (api, stage) = boto3.client("apigateway"), _api_and_stage()
    for kind, response in template["x-amazon-apigateway-gateway-responses"].items():
        client.put_gateway_response(restApiId=api, responseType=kind, **response)
    client.create_deployment(restApiId=api, stageName=stage)
    refused = urllib3.request("GET", orders_url, timeout=_PATIENCE)
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    bearer = {"Authorization": f"Bearer {token('whoami:read')}"}
    refused = urllib3.request("GET", orders_url, headers=bearer, timeout=_PATIENCE)
    challenge = 'Bearer error="insufficient_scope"'
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (403, challenge)


def test_a_preflight_passes_without_a_token(orders_url: str) -> None:
    """A browser sends none with it. (Its headers: tests/account/test_challenges.py.)"""
    asks = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    assert urllib3.request("OPTIONS", orders_url, headers=asks).status == 200


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
    assert answer.get("status") == 200, answer
    assert json.loads(answer["body"]) == {"orders": [7], "of": "nightly-report"}
