"""What a token's scopes open: exactly those routes, whichever was asked for."""

import pytest

from keyturn.api import authorize

ROUTES = (
    "GET /orders=orders:read;POST /orders=orders:write;DELETE /orders/{id}=orders:read orders:write"
)
STAGE = "arn:aws:execute-api:us-east-1:123456789012:api1/v1"


@pytest.fixture
def policy(invoke, events, mint):
    """The policy for a token of these scopes, asked for at a route of a REST API."""

    def policy(scope, route="GET/orders", kind="token"):
        token = mint(scope=scope or ...)
        answer = invoke(authorize, getattr(events, kind)(f"Bearer {token}", route))
        [statement] = answer["policyDocument"]["Statement"]
        return statement["Effect"], statement["Resource"]

    return policy


@pytest.fixture
def open_to(invoke, events, mint):
    """Whether an HTTP API lets a token of these scopes in at a route."""

    def open_to(scope, route):
        event = events.http(f"Bearer {mint(scope=scope or ...)}", route)
        return invoke(authorize, event)["isAuthorized"]

    return open_to


@pytest.mark.parametrize(
    ("scope", "routes"),
    [
        ("orders:read", ["GET/orders"]),
        ("orders:write", ["POST/orders"]),
        ("orders:read orders:write", ["GET/orders", "POST/orders", "DELETE/orders/*"]),
        ("orders:write other orders:read", ["GET/orders", "POST/orders", "DELETE/orders/*"]),
    ],
)
def test_the_policy_names_the_routes_that_the_scopes_open(routed, policy, scope, routes):
    """A route opens when the token has all of its scopes; a path parameter is anything."""
    routed(ROUTES)
    assert policy(scope) == ("Allow", [f"{STAGE}/{route}" for route in routes])


@pytest.mark.parametrize("kind", ["token", "request"])
def test_the_policy_does_not_depend_on_the_route_asked(routed, policy, kind):
    """API Gateway caches it for every route of the API."""
    routed(ROUTES)
    routes = ["GET/orders", "POST/orders", "GET/", "PATCH/anything/at/all"]
    assert len({str(policy("orders:read", route, kind)) for route in routes}) == 1


@pytest.mark.parametrize("scope", ["", "other", "orders", "orders:readx", "ORDERS:READ"])
def test_a_token_that_opens_nothing_gets_a_deny(routed, policy, scope):
    """403: the token is good, and the whole stage is closed to it."""
    routed(ROUTES)
    assert policy(scope) == ("Deny", [f"{STAGE}/*"])


def test_without_the_setting_a_good_token_opens_the_stage(booted, policy):
    """Scopes are then the integration's business."""
    assert policy("") == ("Allow", [f"{STAGE}/*"])


@pytest.mark.parametrize(
    ("scope", "route", "opens"),
    [
        ("orders:read", "GET/orders", True),
        ("orders:read", "POST/orders", False),
        ("orders:write", "POST/orders", True),
        ("orders:read", "DELETE/orders/7", False),
        ("orders:read orders:write", "DELETE/orders/7", True),
        ("orders:read orders:write", "DELETE/orders", False),
        ("orders:read orders:write", "DELETE/orders/7/items", False),
        ("orders:read", "GET/", False),
        ("orders:read", "GET/orders/", False),
        ("orders:read", "GET/other", False),
        ("orders:read", "GET", False),
        ("", "GET/orders", False),
    ],
)
def test_an_http_api_is_told_for_the_route_asked(routed, open_to, scope, route, opens):
    """Its answer is about this request only: method, path and all scopes of the route."""
    routed(ROUTES)
    assert open_to(scope, route) is opens


@pytest.mark.parametrize("route", ["GET/orders", "$default", "GET/"])
def test_an_http_api_without_the_setting_is_open(booted, open_to, route):
    """To good tokens."""
    assert open_to("", route) is True


def test_the_root_can_be_a_route(routed, policy, open_to):
    """`GET /` names the root and nothing below it."""
    routed("GET /=orders:read")
    assert policy("orders:read") == ("Allow", [f"{STAGE}/GET/"])
    assert open_to("orders:read", "GET/") is True
    assert open_to("orders:read", "GET/x") is False


def test_any_method_can_be_a_route(routed, policy, open_to):
    """`ANY` stands for each of them, as in API Gateway's own routes."""
    routed("ANY /orders=orders:read")
    assert policy("orders:read") == ("Allow", [f"{STAGE}/*/orders"])
    assert open_to("orders:read", "PATCH/orders") is True
    assert open_to("orders:read", "PATCH/other") is False


@pytest.mark.parametrize("kind", ["token", "request", "http"])
def test_the_integration_is_told_also_where_nothing_opens(routed, invoke, events, mint, kind):
    """The context is part of every answer about a good token."""
    routed(ROUTES)
    answer = invoke(authorize, getattr(events, kind)(f"Bearer {mint(scope='other')}"))
    assert answer["context"]["sub"] == "user-1"
