"""Events of any shape: the authorizer and the issuer answer each with an error they declare."""

import json
from types import SimpleNamespace

import pytest

from keyturn.api import authorize, issue_token
from keyturn.api.gateway import Unauthorized, UnknownEvent
from tests.mutations import STRANGE, mutations
from tests.unit.api import events
from tests.unit.api.requests import mint

CONTEXT = SimpleNamespace(
    function_name="keyturn",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:keyturn",
    aws_request_id="request-1",
)
HTTP = {
    "body": '{"subject":"user-1"}',
    "isBase64Encoded": False,
    "path": "/token/shop",
    "pathParameters": {"client": "shop"},
    "requestContext": {"identity": {"userArn": "arn:aws:iam::123456789012:role/shop"}},
}
DIRECT = {"subject": "user-1", "client": "batch-1", "claims": {"a": [1]}, "lifetime": 5}


def authorized(event) -> str:
    """What the authorizer makes of an event: `allowed`, `refused` or `UnknownEvent`."""
    try:
        answer = authorize.handler(event, CONTEXT)
    except (Unauthorized, UnknownEvent) as error:
        return type(error).__name__
    return "allowed" if answer.get("isAuthorized", True) else "refused"


def issued(event):
    """The issuer's answer to an event."""
    return issue_token.handler(event, CONTEXT)


@pytest.mark.parametrize("event", STRANGE, ids=lambda event: ascii(event)[:20])
def test_an_authorizer_event_that_is_no_authorizer_event(booted, printed, event):
    """The function is wired to something else, and says so."""
    assert authorized(event) == "UnknownEvent"


@pytest.mark.parametrize("headers", [5, [], "Authorization", {5: "Bearer x"}, {"authorization": 5}])
def test_headers_that_are_none(booted, printed, headers):
    """There is no token."""
    assert authorized({**events.request(None), "headers": headers}) == "Unauthorized"


@pytest.mark.parametrize("kind", ["token", "request", "http"])
def test_no_mutation_of_an_authorizer_event_is_an_undeclared_error(booted, printed, cloud, kind):
    """And the good event is allowed, so that they mutate something."""
    event = getattr(events, kind)(f"Bearer {mint(booted, cloud)}")
    assert authorized(event) == "allowed"
    answers = {authorized(mutated) for mutated in mutations(event, seed=13, count=300)}
    assert "UnknownEvent" in answers


@pytest.mark.parametrize("event", STRANGE, ids=lambda event: ascii(event)[:20])
def test_a_direct_invoke_with_anything(booted, printed, event):
    """The answer is the error's body, as for any direct invoke."""
    assert issued(event)["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("member", "value", "field"),
    [
        ("requestContext", None, "client"),
        ("requestContext", [], "client"),
        ("requestContext", {"identity": []}, "client"),
        ("requestContext", {"identity": {"userArn": 5}}, "client"),
        ("requestContext", {"identity": {"userArn": ""}}, "client"),
        ("path", None, "client"),
        ("pathParameters", [], "client"),
        ("pathParameters", {"client": 5}, "client"),
        ("body", 5, "body"),
        ("body", {}, "body"),
        ("body", False, "body"),
        ("body", "\ud800", "body"),
    ],
)
def test_a_member_of_another_type_over_http(booted, printed, member, value, field):
    """400 or, without a client or a caller, 403; with the field at fault."""
    answer = issued({**HTTP, member: value})
    assert answer["statusCode"] == (403 if field == "client" else 400)
    assert json.loads(answer["body"])["error_description"].startswith(f"{field}: ")


def test_no_mutation_of_a_proxy_event_is_an_undeclared_error(booted, printed):
    """Each answer is HTTP, or the direct one where the event is no proxy event any more."""
    assert issued(HTTP)["statusCode"] == 200
    for event in mutations(HTTP, seed=13, count=300):
        answer = issued(event)
        over_http = isinstance(event, dict) and "requestContext" in event
        assert answer["statusCode"] in (200, 400, 403) if over_http else answer["error"], event


def test_no_mutation_of_a_direct_event_is_an_undeclared_error(booted, printed):
    """A token or the error's body."""
    assert issued(DIRECT)["access_token"]
    for event in mutations(DIRECT, seed=13, count=300):
        answer = issued(event)
        assert ("error" in answer) is not ("access_token" in answer), event


def test_no_mutation_of_a_body_is_an_undeclared_error(booted, printed):
    """Also one whose text is not JSON."""
    for body in mutations({"subject": "user-1", "claims": {"a": [1]}}, seed=13, count=200):
        assert issued({**HTTP, "body": json.dumps(body)})["statusCode"] in (200, 400), body
