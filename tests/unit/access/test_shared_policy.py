"""Which tables one cached policy can express, and how; the others are refused."""

import json

import pytest

from keyturn.access.routes import METHODS, RouteTable
from keyturn.access.shared_policy import MAX_POLICY, MAX_PREFIX, UNSAFE
from keyturn.api.gateway import MAX_ARN, Call

FROM_LONGEST = f"arn:aws-us-gov:execute-api:ap-southeast-1:123456789012:a1b2c3d4e5/{128 * 's'}/"

EXPRESSIBLE = [
    {"GET /orders": "a", "POST /orders": "b", "ANY /": ""},
    {"GET /orders/{id}": "a", "GET /orders": "b"},
    {"GET /orders/{id}": "a", "GET /orders/export": "a b"},
    {"GET /orders/{id}": "a", "POST /orders/{id}/refunds": "b"},
    {"GET /{proxy+}": "a", "GET /admin": "b", "GET /admin/{proxy+}": "a b"},
    {"GET /users/{id}": "a", "GET /users/{proxy+}": "a"},
    {"GET /users/{id}": "a", "GET /users/{proxy+}": "a b"},
    {"GET /{a}/{b}": "a", "GET /{a}": "a b", "POST /{a}/{proxy+}": "c"},
    {"GET /a/b/{x}": "", "GET /a/{proxy+}": "x", "GET /{proxy+}": "x y"},
]
INEXPRESSIBLE = [
    ({"GET /users/{id}": "a", "GET /users/{id}/secrets": "b"}, "/users/{id}/secrets"),
    ({"GET /users/{id}": "a", "GET /users/{id}/secrets": "a"}, "/users/{id}"),
    ({"GET /users/{id}": "a", "GET /{proxy+}": "b"}, "/users/{id}"),
    ({"GET /{proxy+}": "a", "GET /b/{proxy+}": "b", "GET /b/a": ""}, "/b/{proxy+}"),
    ({"GET /{proxy+}": "a", "GET /users/{id}": "b", "GET /users/me": ""}, "/users/{id}"),
    ({"GET /{tenant}/orders/{proxy+}": "a"}, "/{tenant}/orders/{proxy+}"),
    ({"GET /users/{id}": "a", "GET /users/{proxy+}": "b"}, "/users/{id}"),
    ({"GET /{x}/b": "x", "GET /a/{proxy+}": "x"}, "/{x}/b"),
]


@pytest.mark.parametrize("table", EXPRESSIBLE, ids=lambda table: " + ".join(table))
def test_a_table_that_one_policy_can_express(table):
    """Fixed siblings of `{name}`, any routes below `{proxy+}`, and a `{name}` with no routes below."""
    assert RouteTable.parse(table, cached=True).shared is not None


@pytest.mark.parametrize(
    ("table", "entry"),
    INEXPRESSIBLE,
    ids=lambda each: each if isinstance(each, str) else " + ".join(each),
)
def test_a_table_that_no_policy_can_express_is_refused(table, entry):
    """The error names the entry and the remedy; without a cache the same table is accepted."""
    with pytest.raises(ValueError, match="do not cache the authorizer's answers, or") as refusal:
        RouteTable.parse(table, cached=True)
    assert f"`GET {entry}`" in str(refusal.value)
    assert RouteTable.parse(table).shared is None


def test_a_policy_denies_the_excess_of_its_wildcards():
    """It denies more segments, a stricter sibling, and paths that are unsafe to compare."""
    table = RouteTable.parse({"GET /orders/{id}": "a", "GET /orders/export": "b"}, cached=True)
    assert table.shared is not None
    assert table.shared.patterns(frozenset("a")) == (
        ["GET/orders/?*"],
        ["GET/orders/?*/?*", "GET/orders/export", *UNSAFE],
    )
    assert table.shared.patterns(frozenset("b")) == (["GET/orders/export"], [])
    assert table.shared.patterns(frozenset("ab"))[1] == ["GET/orders/?*/?*", *UNSAFE]


def test_a_cached_policy_does_not_depend_on_the_route_asked():
    """API Gateway caches it for all routes."""
    table = RouteTable.parse({"GET /orders": "", "ANY /orders/{id}": ""}, cached=True)
    answers = [
        Call("", f"{FROM_LONGEST}{route}", is_http_api=False).allow({"sub": "alice"}, table, {})
        for route in ("GET/orders", "GET/other", "PUT/orders/7/../8")
    ]
    assert answers[0] == answers[1] == answers[2]


def _table(routes: int) -> dict[str, str]:
    return {f"GET /orders/{number:04}/{{id}}": "a" for number in range(routes)}


def test_a_policy_stays_within_its_bound():
    """The bound holds even with the longest stage name, for the token that opens everything; one more route is refused."""
    for routes in range(1, 100):
        try:
            RouteTable.parse(_table(routes + 1), cached=True)
        except ValueError as error:
            refusal = str(error)
            break
    assert f"the limit is {MAX_POLICY:,}" in refusal
    table = RouteTable.parse(_table(routes), cached=True)
    call = Call("", f"{FROM_LONGEST}GET/orders", is_http_api=False)
    answer = call.allow({"sub": "alice", "scope": "a"}, table, {})
    size = len(json.dumps(answer["policyDocument"]))
    assert MAX_POLICY * 0.9 < size <= MAX_POLICY


@pytest.mark.parametrize("method", METHODS)
def test_no_pattern_is_longer_than_api_gateway_reads(method):
    """The longest accepted route with the longest stage name is short enough."""
    assert len(FROM_LONGEST) <= MAX_PREFIX
    longest = f"{method} /{{a}}".ljust(256, "x").replace("}x", "}/", 1)
    table = RouteTable.parse({longest: ""}, cached=True)
    assert table.shared is not None
    allowed, denied = table.shared.patterns(frozenset())
    assert max(len(FROM_LONGEST + pattern) for pattern in [*allowed, *denied]) <= MAX_ARN
    with pytest.raises(ValueError, match="longer than 256 characters"):
        RouteTable.parse({f"{longest}x": ""})
