"""Documents of clients and APIs in SSM: strictly read, viewed for C, absent ones as well."""

import json

import pytest

from keyturn.access.client import Client
from keyturn.aws import registry
from keyturn.aws.faults import Conflict, UnreadableDocument
from keyturn.aws.view import View

ORDERS = '{"audiences": ["orders"], "scopes": ["orders:read"]}'


@pytest.fixture
def clients(cloud):
    """The registry of a stack's clients."""
    return registry.client_registry("keyturn", cloud.clients().ssm)


def test_a_document_is_read_as_it_was_written(clients):
    """What was put is what is read, and what is listed."""
    clients.put("orders", ORDERS)
    assert clients.read("orders") == Client(
        "orders", frozenset({"orders"}), frozenset({"orders:read"})
    )
    assert clients.read_texts() == {"orders": ORDERS}


def test_a_write_tells_its_version(clients):
    """So that a caller sees whether another write came in between; a new document replaces none."""
    assert clients.put("orders", ORDERS, overwrite=False) == 1
    assert clients.put("orders", ORDERS) == 2
    stored = clients.read_document("orders")
    assert (stored.text, stored.version, stored.problem) == (ORDERS, 2, None)
    assert stored.members == json.loads(ORDERS)
    with pytest.raises(Conflict):
        clients.put("orders", ORDERS, overwrite=False)


def test_the_stack_that_declares_a_document_is_known_by_cloudformations_tag(clients, cloud):
    """Also after an overwrite by hand, which leaves the tags; other tags say nothing."""
    clients.put("by-hand", ORDERS)
    stack = {"aws:cloudformation:stack-name": "team"}
    for name, tags in (("declared", stack), ("tagged", {"team": "x"})):
        cloud.ssm.put(f"/keyturn/keyturn/clients/{name}", ORDERS)
        cloud.ssm.tags[f"/keyturn/keyturn/clients/{name}"] = tags
    clients.put("declared", ORDERS)
    found = {name: clients.find_stack(name) for name in ("by-hand", "declared", "tagged")}
    assert found == {"by-hand": None, "declared": "team", "tagged": None}


def test_a_document_that_does_not_exist_is_none(clients):
    """Also after it was removed; removing it twice is no error."""
    clients.put("orders", ORDERS)
    clients.remove("orders")
    clients.remove("orders")
    assert clients.read("orders") is None
    assert clients.read_texts() == {}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[]", "not a JSON object"),
        ("{", "not a JSON object"),
        ('{"audiences": ["a"], "audiences": ["b"]}', "duplicate member"),
        ("{}", "audiences is required"),
        ('{"audiences": []}', "audiences: should name an audience"),
        ('{"audiences": ["a", "a"]}', "audiences: contains a duplicate"),
        ('{"audiences": ["a"], "scopes": ["a b"]}', "scopes: a scope is"),
        ('{"audiences": ["a"], "subjects": "everybody"}', "subjects: should be"),
        ('{"audiences": ["a"], "subjects": ["a\\u0000"]}', "subjects: must not contain control"),
        ('{"audiences": ["a"], "max_lifetime": true}', "max_lifetime: should be a whole number"),
        ('{"audiences": ["a"], "scope": "x"}', "'scope' is not a member"),
    ],
)
def test_a_document_that_says_nothing_usable_is_refused_by_member(clients, text, named):
    """It is neither written nor read, and the error names the parameter and the member."""
    with pytest.raises(UnreadableDocument, match="/keyturn/keyturn/clients/orders") as error:
        clients.put("orders", text)
    assert named in str(error.value)
    assert clients.read("orders") is None


def test_a_view_shows_a_change_after_c_and_not_before(clients, clock):
    """Each document has a view of its own, with one read per C."""
    views = registry.Views(clients, lambda reader: View(reader, clock, ttl=30, stale_limit=300))
    assert views.view("orders").get_fresh() is None
    clients.put("orders", ORDERS)
    assert views.view("orders").get_fresh() is None
    clock.advance(30.001)
    assert views.view("orders").get_fresh() == Client.from_document("orders", json.loads(ORDERS))


def test_a_container_holds_so_many_views_and_no_more(clients, clock, monkeypatch):
    """Names come from callers: the view that was opened first is forgotten."""
    monkeypatch.setattr(registry, "MAX_VIEWS", 2)
    views = registry.Views(clients, lambda reader: View(reader, clock, ttl=30, stale_limit=300))
    first = views.view("a")
    assert views.view("a") is first
    assert views.view("b") is not views.view("c")
    assert views.view("a") is not first
