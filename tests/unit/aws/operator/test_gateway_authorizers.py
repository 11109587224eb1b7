"""Which APIs ask the authorizer, as API Gateway says it of REST and HTTP APIs."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.stub import Stubber

from keyturn.aws.clients import client
from keyturn.aws.faults import AwsFault
from keyturn.aws.operator.gateway_authorizers import METHOD_AND_PATH, Authorizer, GatewayAuthorizers

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:authorize"


def uri(function: str) -> str:
    """As API Gateway spells it."""
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"


@pytest.fixture
def gateway(region):
    """The adapter, and a Stubber behind each of its clients."""
    clients: Any = SimpleNamespace(
        apigateway=client("apigateway"), apigatewayv2=client("apigatewayv2")
    )
    rest, http = Stubber(clients.apigateway), Stubber(clients.apigatewayv2)
    with rest, http:
        yield GatewayAuthorizers(clients), rest, http
        rest.assert_no_pending_responses()
        http.assert_no_pending_responses()


def test_authorizers_of_this_function_on_every_page(gateway):
    """Authorizers of both kinds of API are listed, also by an alias; those of other functions and JWT authorizers are not."""
    adapter, rest, http = gateway
    rest.add_response("get_rest_apis", {"items": [{"id": "r1"}], "position": "p"}, {})
    rest.add_response("get_rest_apis", {"items": [{"id": "r2"}]}, {"position": "p"})
    ours = {"id": "a1", "authorizerUri": uri(FUNCTION), "authorizerResultTtlInSeconds": 60}
    others = {"id": "a2", "authorizerUri": uri(f"{FUNCTION}-other")}
    rest.add_response("get_authorizers", {"items": [ours, others]}, {"restApiId": "r1"})
    sources = "method.request.header.Authorization, context.path"
    by_alias = {"id": "a3", "authorizerUri": uri(f"{FUNCTION}:live"), "identitySource": sources}
    rest.add_response("get_authorizers", {"items": [by_alias]}, {"restApiId": "r2"})
    api = {"ApiId": "h1", "Name": "h", "ProtocolType": "HTTP", "RouteSelectionExpression": "r"}
    http.add_response("get_apis", {"Items": [api]}, {})
    jwt = {"AuthorizerId": "a4", "Name": "j"}
    own = {
        "AuthorizerId": "a5",
        "Name": "o",
        "AuthorizerUri": uri(FUNCTION),
        "IdentitySource": ["$request.header.Authorization", "$context.routeKey"],
    }
    http.add_response("get_authorizers", {"Items": [jwt, own]}, {"ApiId": "h1"})
    assert adapter.list_for_function(FUNCTION) == (
        Authorizer("r1", "a1", 60),
        Authorizer(  # 300 s is what API Gateway takes if nothing is set
            "r2",
            "a3",
            300,
            cache_key=frozenset({"method.request.header.Authorization", "context.path"}),
        ),
        Authorizer(
            "h1",
            "a5",
            0,
            is_http=True,
            cache_key=frozenset({"request.header.Authorization", "context.routeKey"}),
        ),
    )


def test_a_refusal_names_the_call(gateway):
    """The operator's credentials may not read it."""
    adapter, rest, _ = gateway
    rest.add_client_error("get_rest_apis", "AccessDeniedException")
    with pytest.raises(AwsFault, match="apigateway:GetRestApis: AccessDeniedException"):
        adapter.list_for_function(FUNCTION)


@pytest.mark.parametrize(
    ("authorizer", "for_all"),
    [
        (Authorizer("a", "b", 0), False),
        (Authorizer("a", "b", 1), True),
        (Authorizer("a", "b", 1, cache_key=frozenset({"context.path"})), True),
        (Authorizer("a", "b", 1, cache_key=frozenset({"context.routeKey"})), True),
        (
            Authorizer("a", "b", 1, cache_key=frozenset({"context.path", "context.httpMethod"})),
            False,
        ),
        (Authorizer("a", "b", 1, is_http=True), True),
        (Authorizer("a", "b", 1, is_http=True, cache_key=frozenset({"context.routeKey"})), False),
        (Authorizer("a", "b", 1, is_http=True, cache_key=frozenset({"context.path"})), True),
        (Authorizer("a", "b", 1, is_http=True, cache_key=METHOD_AND_PATH), False),
    ],
)
def test_when_an_answer_is_kept_for_all_routes(authorizer, for_all):
    """It is kept for all routes by a cache whose key tells no route from another."""
    assert authorizer.keeps_one_answer_for_all_routes is for_all
