"""What the API tests share: tokens of any content, authorizer events of each kind, what leaked."""

import json

import pytest

from keyturn.access.routes import RouteTable, parse_entries


@pytest.fixture
def routed(container, booted):
    """A container whose authorizer has this route table; `cached` as with a result cache."""

    def routed(text, *, cached=False):
        table = RouteTable.parse(parse_entries(text), cached=cached)
        return container(route_scopes=table)

    return routed


@pytest.fixture
def logged(printed):
    """The log lines, parsed."""

    def logged() -> list[dict]:
        lines = [line for line in printed().splitlines() if line.startswith("{")]
        return [entry for entry in map(json.loads, lines) if "message" in entry]

    return logged


@pytest.fixture
def silent(printed, caplog):
    """Insist that nothing of a token was written anywhere by this process."""

    def silent(token) -> None:
        everything = printed() + caplog.text
        pieces = [token, *token.split("."), *token.split()] if isinstance(token, str) else []
        for piece in pieces:
            if len(piece) > 12:
                assert piece not in everything
                assert piece[:24] not in everything

    return silent
