"""What the API tests share: tokens of any content, authorizer events of each kind, what leaked."""

import pytest

from keyturn.access.routes import RouteTable, parse_entries


@pytest.fixture
def routed(container, booted):
    """A container whose authorizer has this route table; `cached` as with a result cache."""

    def routed(text, *, cached=False):
        table = RouteTable.parse(parse_entries(text), cached=cached)
        return container(route_scopes=table)

    return routed
