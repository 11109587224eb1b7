"""The remedies of findings about documents and API Gateway's caches, executed as printed."""

import json
import shlex

import pytest

from tests.unit.cli.running import keyturn


def rest_authorizer(deployment, clients, **more):
    """An authorizer of a REST API that asks ours; returns the ids of both."""
    own = {"id": "restown", "authorizerUri": authorizer_uri(deployment), **more}
    clients.apigateway.apis["restapi"] = [own]
    return "restapi", "restown"


def http_authorizer(deployment, clients, ttl):
    """The same of an HTTP API."""
    own = {
        "AuthorizerId": "httpown",
        "AuthorizerUri": authorizer_uri(deployment),
        "IdentitySource": ["$request.header.Authorization"],
        "AuthorizerResultTtlInSeconds": ttl,
    }
    clients.apigatewayv2.apis["httpapi"] = [own]
    return "httpapi", "httpown"


def authorizer_uri(deployment):
    """What an API's authorizer invokes: ours."""
    arn = deployment.outputs["AuthorizerArn"]
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def command_in(remedy: str, beginning: str) -> list[str]:
    """The words of the first command in a remedy that begins so, after this beginning."""
    command = next(text for text in remedy.split("`") if text.startswith(beginning))
    return shlex.split(command)[len(beginning.split()) :]


@pytest.mark.remedy("authorizer_caches_longer")
def test_an_authorizer_keeps_no_answers_any_more(doctor, clients, deployment):
    """The commands of the remedy, for a REST API (which is then deployed) and an HTTP API."""
    api, own = rest_authorizer(deployment, clients)
    assert f"--rest-api-id {api} --authorizer-id {own} " in doctor()["authorizer_caches_longer"]
    clients.apigateway.apis[api][0]["authorizerResultTtlInSeconds"] = 0
    assert doctor() == {}
    api, own = http_authorizer(deployment, clients, 300)
    assert f"--api-id {api} --authorizer-id {own} " in doctor()["authorizer_caches_longer"]
    clients.apigatewayv2.apis[api][0]["AuthorizerResultTtlInSeconds"] = 0
    assert doctor() == {}


@pytest.mark.remedy("document_unreadable")
@pytest.mark.parametrize("kind", ["client", "api"])
def test_a_document_that_does_not_parse_is_replaced(doctor, deployment, cloud, clients, kind):
    """`add` replaces it; `show` names the stack that declares it, which then needs --drift."""
    name, _ = rest_authorizer(deployment, clients, authorizerResultTtlInSeconds=0)
    documents = deployment.client_documents if kind == "client" else deployment.api_documents
    cloud.ssm.put(documents.parameter_name(name), '{"scopes": 5}')
    cloud.ssm.tags[documents.parameter_name(name)] = {
        "aws:cloudformation:stack-name": "team-orders"
    }
    remedy = doctor()["document_unreadable"]
    shown = keyturn(kind, "show", *command_in(remedy, f"keyturn {kind} show"))
    assert "declared by the stack team-orders" in shown.stdout
    assert command_in(remedy, f"keyturn {kind} add") == [name]
    assert keyturn(kind, "add", name, "--audience", "orders", "--yes", "--drift").exit_code == 0
    assert doctor() == {}


@pytest.mark.remedy("api_missing")
def test_the_document_of_an_api_that_is_gone_is_removed(doctor, deployment):
    """The command of the remedy removes the document."""
    deployment.api_documents.put("gone", '{"audience": "orders"}')
    [name] = command_in(doctor()["api_missing"], "keyturn api remove")
    assert keyturn("api", "remove", name, "--yes").exit_code == 0
    assert doctor() == {}


@pytest.mark.remedy("cache_refuses_routes")
def test_the_document_of_a_cached_rest_api_says_so(doctor, deployment, clients):
    """The command of the remedy, exactly as printed."""
    api, _ = rest_authorizer(deployment, clients, authorizerResultTtlInSeconds=60)
    document = '{"audience": "all orders", "routes": {"GET /orders/{id}": "orders:read a:b"}}'
    deployment.api_documents.put(api, document)
    words = command_in(doctor()["cache_refuses_routes"], "keyturn api add")
    assert keyturn("api", "add", *words, "--yes").exit_code == 0
    stored = json.loads(deployment.api_documents.read_document(api).text)
    assert stored == {**json.loads(document), "cached": True}
    assert "cache_refuses_routes" not in doctor()


@pytest.mark.remedy("cache_opens_routes")
def test_an_http_api_keeps_an_answer_per_route(doctor, deployment, clients):
    """The identity sources that the remedy prints end the finding."""
    api, own = http_authorizer(deployment, clients, 60)
    document = '{"audience": "orders", "routes": {"GET /orders": "orders:read"}}'
    deployment.api_documents.put(api, document)
    words = command_in(
        doctor()["cache_opens_routes"], "aws apigatewayv2 update-authorizer --api-id"
    )
    assert words[:4] == [api, "--authorizer-id", own, "--identity-source"]
    clients.apigatewayv2.apis[api][0]["IdentitySource"] = words[4:]
    assert "cache_opens_routes" not in doctor()
