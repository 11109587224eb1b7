"""The authorizer as API Gateway calls it: the Authorization field, and malformed events."""

import json
import re
from pathlib import Path

import pytest

from keyturn.api.gateway import UnknownEvent
from tests.definition import ROOT
from tests.template import RESOURCES
from tests.vectors.recipe import filled, load, make
from tests.vectors.worlds import EVENTS

MIN_REASON = 16  # characters
FOLDER = Path(__file__).parent
AUTHORIZER = RESOURCES["Api"]["Properties"]["Auth"]["Authorizers"]["Keyturn"]
EXPRESSION = re.compile(AUTHORIZER["Identity"]["ValidationExpression"])
SHAPELESS = [
    "",
    "Bearer",
    "Bearer ",
    "Bearer a",
    "Bearer a.b",
    "Bearer a.b.",
    "Bearer a.b.c.d",
    "Bearer a.b.c ",
    "Bearer a.b.c\n",
    "Bearer a.b.c=",
    "Bearer ä.b.c",
    "Basic a.b.c",
    "a.b.c",
]
HEADERS = load(FOLDER / "authorization_headers.json")
EVENT_CASES = load(FOLDER / "authorizer_events.json")


@pytest.fixture(scope="session")
def good(keys) -> str:
    """A token that is accepted."""
    return make({}, keys)


@pytest.fixture
def asked(authorizer, world, tally):
    """The answer to an event, or the name of the declared fault."""

    def asked(file, case, event) -> str:
        tally.cases.add((file, case["name"]))
        try:
            return authorizer.ask(event, world)
        except UnknownEvent:
            return "UnknownEvent"

    return asked


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize("case", HEADERS, ids=lambda case: case["name"])
def test_an_authorization_field(case, kind, asked, keys, good):
    """The answer to each spelling is the same for every kind of event."""
    field = filled(case["authorization"], keys, token=good)
    answer = asked("authorization_headers", case, EVENTS[kind](field))
    assert answer == case["expect"], case["why"]


@pytest.mark.parametrize("case", HEADERS, ids=lambda case: case["name"])
def test_api_gateway_accepts_every_field_with_a_token(case, keys, good):
    """Its ValidationExpression lets everything through that the authorizer allows.

    Source: API Gateway API Reference, Authorizer, `identityValidationExpression`: without a match 401, and
    no invocation.
    """
    field = filled(case["authorization"], keys, token=good)
    if case["expect"] == "allow":
        assert EXPRESSION.fullmatch(field), case["why"]


@pytest.mark.parametrize("field", SHAPELESS)
def test_api_gateway_refuses_a_field_without_a_token(field):
    """Such a request does not use up Lambda's concurrency."""
    assert not EXPRESSION.fullmatch(field)


def test_the_example_has_the_same_expression():
    """The page about protecting an API points to the example."""
    path = "examples/protected-api/template.yaml"
    text = (ROOT / path).read_text()
    assert f"ValidationExpression: {EXPRESSION.pattern}\n" in text
    assert path in (ROOT / "docs/use-it.md").read_text()


@pytest.mark.parametrize("case", EVENT_CASES, ids=lambda case: case["name"])
def test_an_event(case, asked, keys, good):
    """A valid event gets an answer, a malformed one raises UnknownEvent, and nothing else happens."""
    event = {
        name: value
        for name, value in EVENTS[case["event"]](f"Bearer {good}").items()
        if name not in case.get("without", ())
    }
    event |= filled(case.get("set", {}), keys, token=good)
    assert asked("authorizer_events", case, event) == case["expect"], case["why"]


@pytest.mark.parametrize("kind", EVENTS)
@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_no_depth_breaks_the_authorizer(kind, left, right, authorizer, world, keys):
    """Around the depth that Python can follow, a token with a nested claim is accepted or refused.

    An accepted claim can also be serialised again for the integration.
    """
    for depth in range(880, 1000):
        raw = left * depth + r'"\u0061"' + right * depth
        token = make({"payload": {"raw": {"q": raw}}}, keys)
        answer = authorizer.ask(EVENTS[kind](f"Bearer {token}"), world)
        assert answer in ("allow", "unauthorized"), depth


def test_names_are_unique_and_each_case_has_a_reason():
    """The cases of API Gateway are named and explained like those of tokens."""
    cases = [*HEADERS, *EVENT_CASES]
    assert len({case["name"] for case in cases}) == len(cases)
    assert [case["name"] for case in cases if len(case["why"]) < MIN_REASON] == []
    fields = {json.dumps(case["authorization"]) for case in HEADERS}
    assert len(fields) == len(HEADERS)
