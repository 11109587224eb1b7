"""Events of any shape: authorizer and issuer answer each of them, or raise an error they declare."""

import json

import pytest

from keyturn.api import authorize, issue_token
from keyturn.api.gateway import Unauthorized, UnknownEvent
from tests.mutations import STRANGE, mutations
from tests.unit.api import events
from tests.unit.api.requests import decide, mint
from tests.unit.stage import invoke

HTTP = {
    "body": '{"subject":"user-1"}',
    "isBase64Encoded": False,
    "path": "/token/shop",
    "pathParameters": {"client": "shop"},
    "requestContext": {"identity": {"userArn": "arn:aws:iam::123456789012:role/shop"}},
}
DIRECT = {"subject": "user-1", "client": "batch-1", "claims": {"a": [1]}, "lifetime": 5}
BODY = {"subject": "user-1", "claims": {"a": [1]}}


@pytest.mark.parametrize(
    "event",
    [
        *STRANGE,
        {"requestContext": {}, "body": "{}"},
        {"type": "TOKEN", "authorizationToken": "Bearer x"},
        {"type": "TOKEN", "methodArn": 7, "authorizationToken": "Bearer x"},
        {"type": "TOKEN", "methodArn": "arn:aws:lambda", "authorizationToken": "Bearer x"},
        {"version": "2.0", "type": "REQUEST", "methodArn": "arn:x/y/z", "headers": {}},
    ],
    ids=lambda event: ascii(event)[:40],
)
def test_an_event_of_no_authorizer_is_an_error(booted, event):
    """Something else invokes the function: that is no 401."""
    with pytest.raises(UnknownEvent):
        invoke(authorize, event)


@pytest.mark.parametrize(
    "headers",
    [None, 5, {}, [], "Authorization", {"authorization": 5}, {"X-Authorization": "Bearer x"}],
    ids=ascii,
)
def test_without_an_authorization_header_there_is_no_token(booted, headers):
    """A REST API sends `null` if there are no headers at all."""
    assert decide({**events.request("x"), "headers": headers}) is None


@pytest.mark.parametrize("kind", ["token", "request", "http"])
def test_the_authorizer_answers_any_mutation_of_its_event(booted, cloud, kind):
    """It accepts the token, refuses it, or raises UnknownEvent."""
    event = getattr(events, kind)(f"Bearer {mint(booted, cloud)}")
    assert decide(event)
    unknown = 0
    for mutated in mutations(event, seed=13, count=300):
        try:
            invoke(authorize, mutated)
        except Unauthorized:
            pass
        except UnknownEvent:
            unknown += 1
    assert unknown


@pytest.mark.parametrize("event", STRANGE, ids=lambda event: ascii(event)[:20])
def test_the_issuer_answers_a_direct_invoke_with_anything(booted, event):
    """The answer is the error's body, as for any direct invoke."""
    assert invoke(issue_token, event)["error"] == "invalid_request"


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
def test_the_issuer_names_the_field_of_a_strange_member(booted, member, value, field):
    """Without a client or a caller the status is 403, otherwise 400."""
    answer = invoke(issue_token, {**HTTP, member: value})
    assert answer["statusCode"] == (403 if field == "client" else 400)
    assert json.loads(answer["body"])["error_description"].startswith(f"{field}: ")


def test_the_issuer_answers_any_mutation_of_a_proxy_event(booted):
    """The answer is HTTP, or the direct one if the event is no proxy event any more."""
    assert invoke(issue_token, HTTP)["statusCode"] == 200
    bodies = ({**HTTP, "body": json.dumps(body)} for body in mutations(BODY, seed=13, count=200))
    for event in (*mutations(HTTP, seed=13, count=300), *bodies):
        answer = invoke(issue_token, event)
        is_http = isinstance(event, dict) and "requestContext" in event
        assert answer["statusCode"] in (200, 400, 403) if is_http else answer["error"], event


def test_the_issuer_answers_any_mutation_of_a_direct_invoke(booted):
    """The answer is a token or the error's body."""
    assert invoke(issue_token, DIRECT)["access_token"]
    for event in mutations(DIRECT, seed=13, count=300):
        answer = invoke(issue_token, event)
        assert ("error" in answer) is not ("access_token" in answer), event
