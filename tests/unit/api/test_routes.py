"""What a good token is answered at each kind of API, by the stack's route table."""

import pytest

from keyturn.api import authorize, gateway
from tests.unit.api import events
from tests.unit.api.requests import mint, routed
from tests.unit.stage import invoke

ROUTES = (
    "GET /orders=orders:read;POST /orders=orders:write;"
    "DELETE /orders/{id}=orders:read orders:write;$connect=orders:read"
)
STAGE = "arn:aws:execute-api:us-east-1:123456789012:api1/v1"
REST = ("token", "request")


def policy(booted, cloud, scope, route="GET/orders", kind="token"):
    """The statements for a token of these scopes: what they allow, what they deny."""
    token = mint(booted, cloud, scope=scope or ...)
    answer = invoke(authorize, getattr(events, kind)(f"Bearer {token}", route))
    statements = answer["policyDocument"]["Statement"]
    assert {statement["Action"] for statement in statements} == {"execute-api:Invoke"}
    return {statement["Effect"]: statement["Resource"] for statement in statements}


def open_to(booted, cloud, scope, route, chosen=None):
    """Whether an HTTP API lets a token of these scopes in at a route."""
    event = events.http(f"Bearer {mint(booted, cloud, scope=scope or ...)}", route)
    if chosen is not None:
        event["routeKey"] = chosen
    return invoke(authorize, event)["isAuthorized"]


@pytest.mark.parametrize("kind", REST)
def test_the_policy_names_the_route_asked_and_no_other(container, booted, cloud, kind):
    """If API Gateway keeps it all the same, other routes are refused, and none is opened."""
    routed(container, ROUTES)
    assert policy(booted, cloud, "orders:read", "GET/orders", kind) == {
        "Allow": [f"{STAGE}/GET/orders"]
    }
    for route in ("POST/orders", "DELETE/orders/7", "GET/admin/orders", "GET/orders/", "GET"):
        assert policy(booted, cloud, "orders:read", route, kind) == {"Deny": [f"{STAGE}/*"]}
    both = policy(booted, cloud, "orders:write other orders:read", "DELETE/orders/7", kind)
    assert both == {"Allow": [f"{STAGE}/DELETE/orders/7"]}


@pytest.mark.parametrize("kind", REST)
def test_with_a_result_cache_the_policy_names_every_route_that_is_open(
    container, booted, cloud, kind
):
    """Whichever route was asked for: API Gateway keeps it for all of them."""
    routed(container, ROUTES, cached=True)
    routes = ["GET/orders", "GET/", "PATCH/anything/at/all"]
    assert len({str(policy(booted, cloud, "orders:read", route, kind)) for route in routes}) == 1
    assert policy(booted, cloud, "orders:read") == {"Allow": [f"{STAGE}/GET/orders"]}
    wide = policy(booted, cloud, "orders:read orders:write")
    assert wide["Allow"] == [
        f"{STAGE}/{each}" for each in ("DELETE/orders/?*", "GET/orders", "POST/orders")
    ]
    assert f"{STAGE}/DELETE/orders/?*/?*" in wide["Deny"]


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("scope", ["", "other", "orders", "orders:readx", "ORDERS:READ"])
def test_a_token_that_opens_nothing_gets_a_deny(container, booted, cloud, scope, cached):
    """403: the token is good, and the whole stage is closed to it."""
    routed(container, ROUTES, cached=cached)
    assert policy(booted, cloud, scope) == {"Deny": [f"{STAGE}/*"]}


@pytest.mark.parametrize("cached", [False, True])
def test_a_websocket_api_is_answered_about_connect(container, booted, cloud, cached):
    """By a policy that names it: its ARN has no method."""
    routed(container, ROUTES, cached=cached)
    assert policy(booted, cloud, "orders:read", "$connect", "websocket") == {
        "Allow": [f"{STAGE}/$connect"]
    }
    assert policy(booted, cloud, "orders:write", "$connect", "websocket") == {
        "Deny": [f"{STAGE}/*"]
    }


def test_without_a_table_a_good_token_opens_the_stage(booted, cloud):
    """Scopes are then the integration's business."""
    for route, kind in (("GET/a/b", "token"), ("GET/a", "request"), ("$connect", "websocket")):
        assert policy(booted, cloud, "", route, kind) == {"Allow": [f"{STAGE}/*"]}
    for route in ("GET/orders", "$default", "GET/"):
        assert open_to(booted, cloud, "", route)


def test_an_http_api_is_told_for_the_route_asked(container, booted, cloud):
    """Method, path, all scopes, and the route that API Gateway has chosen."""
    routed(container, ROUTES)
    assert open_to(booted, cloud, "orders:read", "GET/orders")
    assert open_to(booted, cloud, "orders:read", "GET/orders", "GET /orders")
    assert not open_to(booted, cloud, "orders:write", "GET/orders")
    assert not open_to(booted, cloud, "orders:read", "GET/orders/")
    assert not open_to(booted, cloud, "orders:read", "$default")
    assert open_to(
        booted, cloud, "orders:read orders:write", "DELETE/orders/7", "DELETE /orders/{order}"
    )
    assert not open_to(
        booted, cloud, "orders:read orders:write", "DELETE/orders/7", "DELETE /{name}"
    )


def test_a_rest_request_is_compared_with_the_resource_that_api_gateway_chose(
    container, booted, cloud
):
    """A decoded slash makes one path look like another."""
    routed(container, ROUTES)
    event = events.request(f"Bearer {mint(booted, cloud, scope='orders:read')}")
    for resource, effect in (("/orders", "Allow"), ("/{name}", "Allow"), ("/{a}/{b}", "Deny")):
        answer = invoke(authorize, {**event, "resource": resource})
        assert [each["Effect"] for each in answer["policyDocument"]["Statement"]] == [effect]


@pytest.mark.parametrize(
    ("asked", "named"), [("a*b", "a${*}b"), ("a?", "a${?}"), ("${a}$", "${$}{a}$")]
)
def test_a_path_is_named_literally(container, booted, cloud, asked, named):
    """A wildcard in it is none of the policy's."""
    routed(container, "GET /orders/{id}=orders:read")
    allowed = policy(booted, cloud, "orders:read", f"GET/orders/{asked}")
    assert allowed == {"Allow": [f"{STAGE}/GET/orders/{named}"]}


def test_a_path_too_long_for_a_policy_is_closed(container, booted, cloud):
    """API Gateway reads 512 characters of a resource; an HTTP API needs no policy."""
    routed(container, "GET /orders/{id}=orders:read")
    longest = f"GET/orders/{(gateway.MAX_ARN - len(STAGE) - len('/GET/orders/')) * 'x'}"
    assert policy(booted, cloud, "orders:read", longest) == {"Allow": [f"{STAGE}/{longest}"]}
    assert policy(booted, cloud, "orders:read", f"{longest}x") == {"Deny": [f"{STAGE}/*"]}
    assert open_to(booted, cloud, "orders:read", f"{longest}x")


@pytest.mark.parametrize("kind", ["token", "request", "http", "websocket"])
def test_the_integration_is_told_also_where_nothing_opens(container, booted, cloud, kind):
    """The context is part of every answer about a good token."""
    routed(container, ROUTES)
    answer = invoke(
        authorize, getattr(events, kind)(f"Bearer {mint(booted, cloud, scope='other')}")
    )
    assert answer["context"]["sub"] == "user-1"


@pytest.mark.parametrize("route", ["GET/a:b/c", "$connect", "GET/"])
def test_a_call_names_its_api(route):
    """The part of the ARN between account and stage, whatever the path holds."""
    assert gateway.Call("", f"{STAGE}/{route}", is_http_api=False).api_id == "api1"
