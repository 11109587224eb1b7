"""Random tables, requests and tokens: each kind of API gets the answer of the reference.

There are a hundred tables, the same in each run; FULL=1 tries thousands of new ones.
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from keyturn.access.routes import RouteTable
from keyturn.api.gateway import Call
from tests.unit.access import reference
from tests.unit.access.iam import Matcher

STAGE = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/v1"
SCOPES = ("read", "write", "admin")
PARTS = ("a", "b", "{x}", "{y}")
SEGMENTS = ("a", "b", "7", "A", "aa", "a*", "?", "${a}", "a+b", "..", ".", "", "%2E", "a%2Fb", "\\")
METHODS = ("GET", "GET", "GET", "ANY", "POST")

FULL = bool(os.environ.get("FULL"))
thorough = settings(
    max_examples=3000 if FULL else 100,
    derandomize=not FULL,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module")
def iam():
    """MiniStack's evaluation of policies."""
    with Matcher() as matcher:
        yield matcher


@st.composite
def paths_of_routes(draw: Any) -> str:
    """`/orders/{x}/{proxy+}`."""
    parts = draw(st.lists(st.sampled_from(PARTS), max_size=3))
    return "/" + "/".join([*parts, *(["{proxy+}"] if draw(st.booleans()) else [])])


def scopes(most: int) -> Any:
    """Some of the scopes, as a text."""
    return st.sets(st.sampled_from(SCOPES), max_size=most).map(lambda some: " ".join(sorted(some)))


@st.composite
def tables(draw: Any) -> dict[str, str]:
    """A table without two entries for one route, few enough that cached ones are often possible."""
    routes = st.builds("{} {}".format, st.sampled_from(METHODS), paths_of_routes())
    table = draw(st.dictionaries(routes, scopes(2), min_size=1, max_size=6))
    patterns = [route.replace("{y}", "{x}") for route in table]
    assume(len(set(patterns)) == len(patterns))
    return dict(table)


@st.composite
def requests(draw: Any) -> str:
    """`GET /orders/7`, or something less reasonable."""
    method = draw(st.sampled_from(("GET", "POST", "PATCH", "get", "TRACE")))
    return f"{method} /{'/'.join(draw(st.lists(st.sampled_from(SEGMENTS), max_size=4)))}"


def near(table: dict[str, str]) -> list[str]:
    """Requests that the entries of a table match, and similar ones that they do not."""
    similar = []
    for entry in table:
        method, path = entry.replace("ANY", "PUT").split(" ", 1)
        for value in ("7", "a", "b/a", "7/7/7", "..", "a%2Fb"):
            plain = path.replace("{x}", value).replace("{y}", "b").replace("{proxy+}", value)
            similar += [f"{method} {plain}", f"GET {plain}", f"GET {plain}/", f"GET {plain}/a"]
    return similar


def arn(request: str) -> str:
    """The method ARN of a request."""
    return f"{STAGE}/{request.replace(' ', '', 1)}"


def policy(table: RouteTable, token: str, request: str) -> Any:
    """The policy that a REST API gets."""
    call = Call("", arn(request), is_http_api=False)
    return call.allow({"sub": "alice", "scope": token}, table, {})["policyDocument"]


@thorough
@given(table=tables(), token=scopes(3), wild=st.lists(requests(), min_size=5, max_size=20))
def test_a_cached_policy_says_what_the_table_says(iam, table, token, wild):
    """It is right for each request, not only for its own; otherwise the table was refused."""
    try:
        parsed = RouteTable.parse(table, cached=True)
    except ValueError as error:
        assume("cached policy" not in str(error))
        raise
    all_requests = [*wild, *near(table)]
    answers = iam.allowed(policy(parsed, token, all_requests[0]), map(arn, all_requests))
    expected = [reference.is_open(table, set(token.split()), request) for request in all_requests]
    assert dict(zip(all_requests, answers, strict=True)) == dict(
        zip(all_requests, expected, strict=True)
    )


@thorough
@given(table=tables(), token=scopes(3), wild=st.lists(requests(), max_size=20), choice=st.data())
def test_any_other_policy_opens_the_request_and_no_other(iam, table, token, wild, choice):
    """It does no harm if API Gateway caches the policy anyway."""
    all_requests = [*wild, *near(table)]
    request = choice.draw(st.sampled_from(all_requests))
    answers = iam.allowed(policy(RouteTable.parse(table), token, request), map(arn, all_requests))
    opened = {each for each, is_open in zip(all_requests, answers, strict=True) if is_open}
    assert opened <= {request}
    if not {"*", "?", "$"} & set(request):  # the matcher knows no `${*}`
        assert bool(opened) is reference.is_open(table, set(token.split()), request)


def routes_of_gateway(table: dict[str, str], request: str) -> list[str | None]:
    """The routes that API Gateway may report: none, the right entry, or any other."""
    return [None, "$default", "ANY /{proxy+}", reference.responsible(table, request), *table]


@thorough
@given(table=tables(), token=scopes(3), wild=st.lists(requests(), min_size=1, max_size=10))
def test_an_http_api_gets_the_answer_of_the_table(table, token, wild):
    """The answer is right for every route that API Gateway may have chosen."""
    parsed = RouteTable.parse(table)
    for request in [*wild, *near(table)]:
        for chosen in routes_of_gateway(table, request):
            call = Call("", arn(request), is_http_api=True, chosen_route=chosen)
            answer = call.allow({"sub": "alice", "scope": token}, parsed, {})["isAuthorized"]
            assert answer is reference.is_open(table, set(token.split()), request, chosen), chosen


@thorough
@given(table=tables(), connect=st.none() | scopes(2), token=scopes(3), cached=st.booleans())
def test_connect_is_open_by_its_own_entry_only(iam, table, connect, token, cached):
    """No other entry opens it, whether or not answers are cached."""
    table = table if connect is None else {**table, "$connect": connect}
    try:
        parsed = RouteTable.parse(table, cached=cached)
    except ValueError:
        assume(not cached)
        raise
    call = Call("", f"{STAGE}/$connect", is_http_api=False)
    answer = call.allow({"sub": "alice", "scope": token}, parsed, {})["policyDocument"]
    [opened] = iam.allowed(answer, [f"{STAGE}/$connect"])
    assert opened is (connect is not None and set(connect.split()) <= set(token.split()))


@pytest.mark.parametrize("kind", ["GET /orders", "$connect"])
def test_without_a_table_every_good_token_opens_the_stage(iam, kind):
    """The integration then has to check scopes itself."""
    call = Call("", arn(kind), is_http_api=False)
    answer = call.allow({"sub": "alice"}, None, {})["policyDocument"]
    assert iam.allowed(answer, [arn(kind), arn("PUT /a/b/c")]) == [True, True]
