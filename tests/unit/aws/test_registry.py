"""The documents of clients and APIs in SSM: strictly parsed, and cached for C even if absent."""

import json

import pytest

from keyturn.access.client import Client
from keyturn.aws import registry
from keyturn.aws.faults import Conflict, UnreadableDocument
from keyturn.aws.view import View

ORDERS = '{"audiences": ["orders"], "scopes": ["orders:read"]}'
PARAMETER = "/keyturn/demo/clients"


@pytest.fixture
def clients(cloud):
    """The registry of a stack's clients."""
    return registry.client_registry("demo", cloud.clients().ssm)


@pytest.fixture
def views(clients, clock):
    """A container's views of the clients' documents."""
    return registry.Views(clients, lambda reader: View(reader, clock, ttl=30, stale_limit=300))


def test_a_document_is_written_read_and_removed(clients):
    """Once removed, it is absent; removing it again is no error."""
    clients.put("orders", ORDERS)
    scopes = frozenset({"orders:read"})
    assert clients.read("orders") == Client("orders", frozenset({"orders"}), scopes)
    assert clients.read_texts() == {"orders": ORDERS}
    clients.remove("orders")
    clients.remove("orders")
    assert (clients.read("orders"), clients.read_texts()) == (None, {})


def test_a_write_returns_its_version(clients):
    """Another write in between is noticed by it; a new document replaces none."""
    assert clients.put("orders", ORDERS, overwrite=False) == 1
    assert clients.put("orders", ORDERS) == 2
    document = clients.read_document("orders")
    assert (document.text, document.version, document.problem) == (ORDERS, 2, None)
    assert document.members == json.loads(ORDERS)
    with pytest.raises(Conflict):
        clients.put("orders", ORDERS, overwrite=False)


@pytest.mark.parametrize(
    ("tags", "stack"),
    [({}, None), ({"team": "x"}, None), ({"aws:cloudformation:stack-name": "team"}, "team")],
)
def test_cloudformation_s_tag_names_the_stack_that_declares_a_document(clients, cloud, tags, stack):
    """An overwrite by hand does not change it."""
    cloud.ssm.put(f"{PARAMETER}/orders", ORDERS)
    cloud.ssm.tags[f"{PARAMETER}/orders"] = tags
    clients.put("orders", ORDERS)
    assert clients.find_stack("orders") == stack


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "not a JSON object"),
        ("{", "not a JSON object"),
        ('{"audiences": ["a"], "audiences": ["b"]}', "duplicate member"),
        ("{}", "audiences is required"),
        ('{"audiences": []}', "audiences: should name an audience"),
        ('{"audiences": ["a"], "scope": "x"}', "'scope' is not a member"),
    ],
)
def test_an_invalid_document_is_not_written(clients, text, problem):
    """The error names parameter and member; tests/unit/access/test_client.py has every member."""
    with pytest.raises(UnreadableDocument, match=f"{PARAMETER}/orders") as error:
        clients.put("orders", text)
    assert problem in str(error.value)
    assert clients.read("orders") is None


def test_a_change_is_seen_after_c(clients, views, clock):
    """Each document has a view of its own, with one read per C."""
    assert views.view("orders").get_fresh() is None
    clients.put("orders", ORDERS)
    assert views.view("orders").get_fresh() is None
    clock.advance(30.001)
    assert views.view("orders").get_fresh() == Client.from_document("orders", json.loads(ORDERS))


def test_the_number_of_views_is_bounded(views, monkeypatch):
    """Names come from callers: the oldest view is dropped."""
    monkeypatch.setattr(registry, "MAX_VIEWS", 2)
    first = views.view("a")
    assert views.view("a") is first
    assert views.view("b") is not views.view("c")
    assert views.view("a") is not first
