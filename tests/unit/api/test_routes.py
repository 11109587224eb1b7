"""The answer for a valid token at each kind of API, by the stack's route table.

tests/unit/access/test_every_answer.py compares the answers to random tables.
"""

import pytest

from keyturn.api import gateway
from tests.unit.api import events
from tests.unit.api.requests import ask, decide, mint, routed

ROUTES = (
    "GET /orders=orders:read;POST /orders=orders:write;"
    "DELETE /orders/{id}=orders:read orders:write;$connect=orders:read"
)
STAGE = events.API


def resources(booted, cloud, scope, route="GET/orders", kind="token"):
    """The policy for a token with these scopes: which resources it allows, and which it denies."""
    answer = ask(mint(booted, cloud, scope=scope or ...), kind, route=route)
    statements = answer["policyDocument"]["Statement"]
    assert {statement["Action"] for statement in statements} == {"execute-api:Invoke"}
    return {statement["Effect"]: statement["Resource"] for statement in statements}


def is_open(booted, cloud, scope, route, chosen=None):
    """Whether an HTTP API authorizes a token with these scopes at a route."""
    event = events.http(f"Bearer {mint(booted, cloud, scope=scope or ...)}", route)
    return decide({**event, **({"routeKey": chosen} if chosen else {})})["isAuthorized"]


@pytest.mark.parametrize("kind", ["token", "request"])
def test_the_policy_names_only_the_requested_route(container, booted, cloud, kind):
    """If API Gateway caches it nevertheless, it opens no other route."""
    routed(container, ROUTES)
    allowed = {"Allow": [f"{STAGE}/GET/orders"]}
    assert resources(booted, cloud, "orders:read", "GET/orders", kind) == allowed
    for route in ("POST/orders", "DELETE/orders/7", "GET/admin/orders", "GET/orders/", "GET"):
        assert resources(booted, cloud, "orders:read", route, kind) == {"Deny": [f"{STAGE}/*"]}


def test_with_a_result_cache_the_policy_names_every_open_route(container, booted, cloud):
    """It is the same whichever route was requested, because API Gateway keeps it for all of them."""
    routed(container, ROUTES, cached=True)
    for route in ("GET/orders", "GET/", "PATCH/anything/at/all"):
        allowed = {"Allow": [f"{STAGE}/GET/orders"]}
        assert resources(booted, cloud, "orders:read", route) == allowed
    wide = resources(booted, cloud, "orders:read orders:write")
    assert wide["Allow"] == [
        f"{STAGE}/{route}" for route in ("DELETE/orders/?*", "GET/orders", "POST/orders")
    ]
    assert f"{STAGE}/DELETE/orders/?*/?*" in wide["Deny"]


@pytest.mark.parametrize("route", ["GET/orders", "$default", "GET/"])
def test_without_a_table_an_http_api_is_open_to_any_valid_token(booted, cloud, route):
    """The integration then checks the scopes."""
    assert is_open(booted, cloud, "", route)


@pytest.mark.parametrize(
    ("route", "chosen", "opens"),
    [
        ("GET/orders", None, True),
        ("GET/orders", "GET /orders", True),
        ("POST/orders", None, False),
        ("GET/orders/", None, False),
        ("$default", None, False),
        ("GET/orders", "GET /{name}", True),
        ("GET/orders", "GET /{a}/{b}", False),
    ],
)
def test_an_http_api_is_answered_for_the_route_that_it_chose(
    container, booted, cloud, route, chosen, opens
):
    """Method, path and chosen route must agree with the table."""
    routed(container, ROUTES)
    assert is_open(booted, cloud, "orders:read", route, chosen) is opens


@pytest.mark.parametrize(
    ("resource", "effect"), [("/orders", "Allow"), ("/{name}", "Allow"), ("/{a}/{b}", "Deny")]
)
def test_a_rest_request_must_match_the_resource_that_api_gateway_chose(
    container, booted, cloud, resource, effect
):
    """A decoded slash makes one path look like another."""
    routed(container, ROUTES)
    event = events.request(f"Bearer {mint(booted, cloud, scope='orders:read')}")
    [statement] = decide({**event, "resource": resource})["policyDocument"]["Statement"]
    assert statement["Effect"] == effect


@pytest.mark.parametrize(
    ("path", "literal"), [("a*b", "a${*}b"), ("a?", "a${?}"), ("${a}$", "${$}{a}$")]
)
def test_a_wildcard_in_a_path_is_literal_in_the_policy(container, booted, cloud, path, literal):
    """It must not open other paths."""
    routed(container, "GET /orders/{id}=orders:read")
    allowed = resources(booted, cloud, "orders:read", f"GET/orders/{path}")
    assert allowed == {"Allow": [f"{STAGE}/GET/orders/{literal}"]}


def test_a_path_too_long_for_a_policy_is_closed(container, booted, cloud):
    """API Gateway reads 512 characters of a resource; an HTTP API needs no policy."""
    routed(container, "GET /orders/{id}=orders:read")
    longest = f"GET/orders/{(gateway.MAX_ARN - len(STAGE) - len('/GET/orders/')) * 'x'}"
    assert resources(booted, cloud, "orders:read", longest) == {"Allow": [f"{STAGE}/{longest}"]}
    assert resources(booted, cloud, "orders:read", f"{longest}x") == {"Deny": [f"{STAGE}/*"]}
    assert is_open(booted, cloud, "orders:read", f"{longest}x")


@pytest.mark.parametrize("kind", ["token", "request", "http", "websocket"])
def test_an_answer_that_opens_nothing_has_the_context_too(container, booted, cloud, kind):
    """Every answer about a valid token has it."""
    routed(container, ROUTES)
    assert ask(mint(booted, cloud, scope="other"), kind)["context"]["sub"] == "user-1"


@pytest.mark.parametrize("route", ["GET/a:b/c", "$connect", "GET/"])
def test_a_call_names_its_api(route):
    """Its id is in the ARN between account and stage, whatever the path contains."""
    assert gateway.Call("", f"{STAGE}/{route}", is_http_api=False).api_id == "api1"
