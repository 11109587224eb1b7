"""What the vectors share: keys of this session, worlds, the authorizer, and a line at the end."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from keyturn.api import authorize
from keyturn.aws.stack import Stack
from tests.vectors.keys import Keys
from tests.vectors.recipe import NOW
from tests.vectors.tally import TALLY, Tally, line
from tests.vectors.worlds import CUT_OFFS, World, cutoffs


def pytest_configure(config):
    """Start counting."""
    config.stash[TALLY] = Tally()


def pytest_terminal_summary(terminalreporter, config):
    """Print one line with the counts."""
    if summary := line(terminalreporter.stats, config.stash.get(TALLY, Tally())):
        terminalreporter.write_line(summary)


@pytest.fixture(scope="session")
def tally(request) -> Tally:
    """The counts of this run so far."""
    return request.config.stash.setdefault(TALLY, Tally())


@pytest.fixture(scope="session")
def keys() -> Keys:
    """The keys of this session."""
    return Keys.generate()


@pytest.fixture
def world(keys) -> World:
    """The usual keyset."""
    return World(keys)


@pytest.fixture
def worlds(keys):
    """Keysets by the name that a recipe has for them."""
    return {
        "usual": World(keys),
        "standby unpublished": World(keys, standby_published=False),
        "cut-offs": World(keys, cutoffs=cutoffs(CUT_OFFS)),
    }


@pytest.fixture
def authorizer(monkeypatch):
    """Ask the whole handler, as Lambda does; `codes` are the reasons that it logged.

    The answer is "allow" or "unauthorized"; whatever the handler raises beside that is raised.
    """
    lambda_context = SimpleNamespace(
        function_name="authorize",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:authorize",
        aws_request_id="request-1",
    )
    codes, written = [], []

    def log_decision(message, **fields):
        if message == "refused":
            codes.append(fields.get("code"))
        written.append(json.dumps({"message": message, **fields}))

    monkeypatch.setattr(authorize, "log_decision", log_decision)

    def ask(event, world, now=NOW):
        monkeypatch.setattr(Stack, "from_environment", lambda: world.stack(now))
        try:
            answer = authorize.handler(json.loads(json.dumps(event)), lambda_context)
        except Exception as error:
            if type(error).__name__ == "Unauthorized" and str(error) == "Unauthorized":
                return "unauthorized"
            raise
        return verdict(json.loads(json.dumps(answer)))

    return SimpleNamespace(ask=ask, codes=codes, written=written)


def verdict(answer: dict[str, Any]) -> str:
    """What API Gateway makes of an answer; anything that is neither plain yes nor no is an error."""
    if answer == {"isAuthorized": False}:
        return "unauthorized"
    if "isAuthorized" in answer:
        assert answer["isAuthorized"] is True
        return "allow"
    [statement] = answer["policyDocument"]["Statement"]
    assert statement["Effect"] == "Allow"
    return "allow"
