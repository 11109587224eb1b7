"""Which requests the entries of a route table open, and which entries are refused."""

import pytest

from keyturn.access.routes import METHODS, RouteTable, parse_entries

TABLE = {
    "ANY /orders": "any",
    "GET /users/{id}": "users",
    "GET /users/me": "users me",
    "PATCH /users/me": "me",
    "GET /files/{proxy+}": "files",
    "GET /files/{name}/meta": "meta",
    "GET /": "root",
    "POST /health": "",
    "$connect": "connect",
}
SCOPES = ("any", "users", "me", "files", "meta", "root", "connect")


def opened_by(request, scopes, chosen=None, table=TABLE):
    """Whether the table opens a request such as `GET /orders` to a token with these scopes."""
    method, _, path = request.partition(" ")
    return RouteTable.parse(table).opens(method, path, chosen, frozenset(scopes.split()))


@pytest.mark.parametrize(
    ("request_", "scopes"),
    [
        ("GET /orders", "any"),
        ("OPTIONS /orders", "any"),
        ("HEAD /orders", "any"),
        ("GET /users/7", "users"),
        ("GET /users/Me", "users"),
        ("GET /users/me", "users me"),
        ("PATCH /users/me", "me"),
        ("GET /files/a", "files"),
        ("GET /files/a/b/c", "files"),
        ("GET /files/a/meta", "meta"),
        ("GET /files/a/b/meta", "files"),
        ("GET /files/a*b", "files"),
        ("GET /", "root"),
        ("POST /health", ""),
        ("$connect", "connect"),
    ],
)
def test_the_most_specific_entry_opens_a_request_with_all_its_scopes(request_, scopes):
    """Additional scopes do no harm; without one of them the request is refused."""
    assert opened_by(request_, scopes)
    assert opened_by(request_, f"other {scopes} more")
    for scope in scopes.split():
        assert not opened_by(request_, " ".join(each for each in SCOPES if each != scope))


@pytest.mark.parametrize(
    "request_",
    [
        # no entry has this path, not even one with a wildcard in an IAM policy
        *("GET /admin/orders", "GET /users/7/secrets", "GET /users", "GET /files", "GET /ORDERS"),
        # another method, or none that HTTP APIs route
        *("DELETE /users/me", "HEAD /users/7", "get /orders", "TRACE /orders", "CONNECT /orders"),
        # an empty segment
        *("GET /orders/", "GET //orders", "GET /users/", "GET /files/", "GET /files//a"),
        *("GET /files/a/",),
        # a path that some reader could take for another
        *("GET /files/../orders", "GET /files/.", "GET /files/%2e%2E/orders", "GET /files/.%2e"),
        *("GET /files/a%2fb", "GET /files/a%2Fb", "GET /files/a%5Cb", "GET /files/a\\b"),
        # not a path at all
        *("GET", "GET orders", "", "GET /$connect", "$connect /", "$disconnect", "$default"),
    ],
)
def test_a_request_without_an_entry_is_refused(request_):
    """No token opens it, whatever its scopes; API Gateway would route `/orders/` to `/orders`."""
    assert not opened_by(request_, " ".join(SCOPES))


def test_connect_needs_its_own_entry():
    """It is the only route of a WebSocket API that has an authorizer."""
    table = {"ANY /": "", "ANY /{proxy+}": ""}
    assert not opened_by("$connect", "connect", table=table)
    assert opened_by("$connect", "", table={"$connect": ""})


@pytest.mark.parametrize(
    ("request_", "chosen", "opens"),
    [
        ("GET /users/7", "GET /users/{id}", True),
        ("GET /users/7", "GET /users/{other}", True),
        ("GET /users/7", "/users/{id}", True),
        ("GET /users/7", "ANY /{proxy+}", True),
        ("GET /users/7", "$default", True),
        ("GET /users/7", "POST /users/{id}", False),
        ("GET /users/7", "GET /users", False),
        ("GET /users/7", "nonsense", False),
        ("GET /users/7", "", False),
        ("GET /", "/", False),  # its scope is missing
        ("GET /files/a/meta", "GET /files/{name}/meta", True),
        # `/files/a%2Fmeta` where API Gateway has decoded the path
        ("GET /files/a/meta", "GET /files/{name}", False),
        ("GET /files/a/meta", "GET /files/{proxy+}", False),  # named, and its scope is missing
    ],
)
def test_the_route_that_api_gateway_chose_has_to_match_and_to_be_open(request_, chosen, opens):
    """A decoded path cannot be opened with the scopes of another route."""
    assert opened_by(request_, "users meta", chosen) is opens


@pytest.mark.parametrize(
    "entry",
    [
        # wildcards and variables of an IAM policy
        *("GET /orders/*", "* /orders", "GET *", "GET /orders/?", "GET /orders/${id}"),
        *("GET /orders/$%7Bid}",),
        # parameters that API Gateway does not know
        *("GET /orders/{id}x", "GET /orders/x{id}", "GET /orders/{}", "GET /orders/{+}"),
        *("GET /orders/{id", "GET /orders/{a/b}", "GET /{proxy+}/orders"),
        # paths that some reader could take for another
        *("GET /orders/", "GET //orders", "GET /./orders", "GET /../orders", "GET /a%2Fb"),
        *("GET /ä", "GET /a\\b", "GET /a b", "GET /a\n"),
        # not a method and a path
        *("GET orders", "GET", "/orders", "", "GET  /orders"),
        *("get /orders", "any /orders", "FETCH /orders", "TRACE /orders"),
        # other routes of HTTP and WebSocket APIs
        *("$default", "$disconnect", "$connect /", "connect"),
    ],
)
@pytest.mark.parametrize("cached", [False, True])
def test_an_invalid_entry_is_refused_by_name(entry, cached):
    """The error begins with the entry."""
    with pytest.raises(ValueError) as refusal:
        RouteTable.parse({"GET /orders/{id}": "a", entry: "a"}, cached=cached)
    assert str(refusal.value).startswith(f"`{entry}`: ")


def test_entries_for_one_route_are_refused_by_both_names():
    """Parameters that differ only by name are one route of API Gateway."""
    with pytest.raises(ValueError, match=r"`GET /a/\{y\}/\{r\+\}`: .* `GET /a/\{x\}/\{proxy\+\}`"):
        RouteTable.parse({"GET /a/{x}/{proxy+}": "a", "GET /a/{y}/{r+}": "b"})
    assert RouteTable.parse({"GET /a/{x}": "a", "ANY /a/{y}": "b", "GET /a/{proxy+}": "c"})


@pytest.mark.parametrize("entries", [{}, {"GET /a": None}, {"GET /a": ["b"]}])
def test_an_empty_table_and_scopes_that_are_no_text_are_refused(entries):
    """Neither can be what the operator meant."""
    with pytest.raises(ValueError):
        RouteTable.parse(entries)


def test_a_table_lists_its_entries_its_scopes_and_what_is_open():
    """The command shows them, and checks that the scopes exist."""
    table = RouteTable.parse(TABLE)
    assert table.entries == TABLE
    assert table.scopes == set(SCOPES)
    opened = table.list_open_entries(frozenset({"users", "any"}))
    assert [entry for entry, is_open in opened.items() if is_open] == [
        "ANY /orders",
        "GET /users/{id}",
        "POST /health",
    ]


@pytest.mark.parametrize("method", METHODS)
def test_any_stands_for_the_methods_without_an_entry_for_the_path(method):
    """An entry for the method decides alone, whatever scopes `ANY` requires."""
    table = {"ANY /a": "any", f"{method} /a": "own"}
    assert opened_by(f"{method} /a", "own", table=table)
    assert not opened_by(f"{method} /a", "any", table=table)
    other = next(each for each in METHODS if each != method)
    assert opened_by(f"{other} /a", "any", table=table)


def test_the_parameter_names_routes_and_scopes():
    """Spaces and a trailing semicolon do not matter; an entry without scopes is open to any valid token."""
    assert parse_entries(" GET /a = x y ; POST /a/{id}=z;$connect=; ") == {
        "GET /a": "x y",
        "POST /a/{id}": "z",
        "$connect": "",
    }
    assert parse_entries("") == {}


@pytest.mark.parametrize("text", ["GET /a", "GET /a=x;GET /b", "GET /a=x;GET /a=y"])
def test_the_parameter_is_refused_without_scopes_or_with_one_entry_twice(text):
    """The error names the entry."""
    with pytest.raises(ValueError, match=r"`GET /[ab]`"):
        parse_entries(text)
