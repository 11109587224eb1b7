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
from tests.definition import ROOT
from tests.synthesized import translate_errors
from tools.local_stacks import ORDERS, deploy_example, orders_url, status_of

Token = Callable[[str], str]


@pytest.fixture(scope="module")
def example(workshop: Workshop, deployment: Deployment) -> dict[str, str]:
    """The outputs of the protected API, deployed as a stack of its own."""
    parameters = {"KeyturnAuthorizer": deployment.outputs["AuthorizerArn"]}
    outputs = deploy_example(workshop, "protected-api", "protected-api", parameters)
    assert outputs["OrdersUrl"].endswith(f"/{outputs['Stage'].split('/')[1]}/orders")
    return outputs


@pytest.fixture(scope="module")
def url(example: dict[str, str], aws: LocalAws) -> str:
    """Its protected route, as this machine reaches it."""
    return orders_url(aws, example)


@pytest.fixture(scope="module")
def template() -> Mapping[str, Any]:
    """The definition of the protected API, as SAM makes it."""
    path = ROOT / "examples/protected-api/template.yaml"
    deployed = Deployed(translate_errors(cfn_yaml.load(str(path))))
    body: Mapping[str, Any] = deployed.resources("AWS::ApiGateway::RestApi")["Api"]["Body"]
    return body


@pytest.fixture(scope="module")
def token(deployment: Deployment) -> Token:
    """A token for the example's audience, by a client that may have any scope of the tests."""
    document = {"audiences": [ORDERS], "scopes": ["orders:read", "whoami:read"]}
    deployment.client_documents.put("examples", json.dumps(document))

    def token(scope: str) -> str:
        answer = deployment.post_token({"scope": scope, "audience": ORDERS}, client="examples")
        assert answer.status == 200, answer.body
        return str(answer.body["access_token"])

    return token


def test_another_stack_s_api_is_protected(url: str, deployment: Deployment, token: Token) -> None:
    """The API answers by its own document: 401 without a token or with another API's, 403 without the scope."""
    foreign = deployment.post_token({"subject": "alice", "scope": "orders:read"}).body
    tokens = (None, foreign["access_token"], token("whoami:read"), token("orders:read"))
    assert [status_of(url, one) for one in tokens] == [401, 401, 403, 200]


def test_the_token_of_another_stack_s_api_opens_not_this_one_s(
    url: str, deployment: Deployment, token: Token
) -> None:
    """A token with another API's audience is refused, whatever its scopes."""
    good_there = token("whoami:read")
    assert deployment.get("/whoami", good_there).status == 401
    own = deployment.post_token({"subject": "alice", "scope": "whoami:read"}).body["access_token"]
    assert deployment.get("/whoami", own).status == 200


def test_a_narrowed_api_refuses(
    url: str, example: dict[str, str], deployment: Deployment, token: Token
) -> None:
    """From C + ε on, a token that the former document accepted gets 403, and 200 again with that document."""
    ssm, bearer = boto3.client("ssm"), token("orders:read")
    name = f"/keyturn/{deployment.stack}/apis/{example['Stage'].split('/')[0]}"
    before = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    narrowed = json.dumps({"audience": ORDERS, "routes": {"GET /orders": "orders:all"}})
    assert status_of(url, bearer) == 200
    for text, status in ((narrowed, 403), (before, 200)):
        ssm.put_parameter(Name=name, Value=text, Overwrite=True)
        time.sleep(deployment.revocation_bound.total_seconds())
        assert status_of(url, bearer) == status


@pytest.mark.usefixtures("example")
def test_clients_find_the_issuer_of_an_api(deployment: Deployment) -> None:
    """The metadata of RFC 9728 is made from the API's document.

    MiniStack sends no events of SSM, so this is what the schedule does.
    """
    invoke(deployment.stack, "PublishApisFunction")
    issuer = deployment.outputs["Issuer"]
    shown = urllib3.request("GET", f"{issuer}/.well-known/oauth-protected-resource/orders.example")
    assert shown.json() == {
        "resource": ORDERS,
        "authorization_servers": [issuer],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["orders:read"],
    }


@pytest.mark.usefixtures("example")
def test_the_authorizer_s_policy_stays_empty(deployment: Deployment) -> None:
    """No API adds a statement to the authorizer's policy, because each invokes it by a role."""
    arn = deployment.outputs["AuthorizerArn"]
    policy = boto3.client("lambda").get_policy(FunctionName=arn)["Policy"]  # on AWS there is none
    assert json.loads(policy)["Statement"] == []


def test_a_refusal_says_what_is_missing(
    url: str, example: dict[str, str], token: Token, template: Mapping[str, Any]
) -> None:
    """401 and 403 carry WWW-Authenticate (RFC 6750 section 3).

    MiniStack reads no gateway responses in an API's definition: they are put here one by one.
    """
    client, (api, stage) = boto3.client("apigateway"), example["Stage"].split("/")
    for kind, response in template["x-amazon-apigateway-gateway-responses"].items():
        client.put_gateway_response(restApiId=api, responseType=kind, **response)
    client.create_deployment(restApiId=api, stageName=stage)
    refused = urllib3.request("GET", url)
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    bearer = {"Authorization": f"Bearer {token('whoami:read')}"}
    refused = urllib3.request("GET", url, headers=bearer)
    challenge = 'Bearer error="insufficient_scope"'
    assert (refused.status, refused.headers["WWW-Authenticate"]) == (403, challenge)


def test_a_preflight_passes_without_a_token(url: str) -> None:
    """A preflight passes: a browser sends no token with it. (Its headers: tests/account/test_challenges.py.)"""
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    assert urllib3.request("OPTIONS", url, headers=headers).status == 200


def test_another_stack_s_function_gets_tokens(
    url: str, workshop: Workshop, deployment: Deployment
) -> None:
    """A function gets tokens by its role, without a secret, and the route learns the client's name."""
    parameters = {
        "KeyturnStack": deployment.stack,
        "KeyturnTokenUrl": deployment.outputs["TokenUrl"],
        "KeyturnStage": deployment.outputs["ApiStage"],
        "OrdersUrl": url,
    }
    outputs = deploy_example(workshop, "token-client", "token-client", parameters)
    invoked = boto3.client("lambda").invoke(FunctionName=outputs["ClientFunction"])
    answer = json.load(invoked["Payload"])
    assert answer.get("status") == 200, answer
    assert json.loads(answer["body"]) == {"orders": [7], "of": "nightly-report"}
