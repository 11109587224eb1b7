"""What `keyturn client` and `keyturn api` print: lists, documents, and changes."""

import json

from keyturn.cli.differences import differences, rows
from tests.unit.cli.deployed import denied
from tests.unit.cli.running import keyturn, transcript

CLIENT = ("client", "add", "orders", "--audience", "orders", "--scope", "orders:read")
ROUTE = ("--route", "GET /orders=orders:read")
API = ("api", "add", "abc123", "--audience", "orders", *ROUTE)
CLIENT_SAYS = {"audiences": ["orders"], "subjects": "itself", "scopes": ["orders:read"]}
API_SAYS = {"audience": "orders", "routes": {"GET /orders": "orders:read"}}


def test_the_clients_are_listed(deployment, cloud):
    """The list has every client, even one whose document does not parse."""
    for name in deployment.client_documents.read_texts():
        deployment.client_documents.remove(name)
    empty = keyturn("client", "list").stdout.strip()
    assert empty == "There are no clients, so no tokens can be issued."
    assert keyturn(*CLIENT, "--yes").exit_code == 0
    cloud.ssm.put("/keyturn/demo/clients/spoilt", "{}")
    listed = json.loads(keyturn("client", "list", "--json").stdout)["clients"]
    assert [(one["client"], one["document"]) for one in listed] == [
        ("orders", CLIENT_SAYS),
        ("spoilt", None),
    ]
    assert listed[1]["problem"].endswith("audiences is required")
    transcript(cloud, "client-list-80", keyturn("client", "list").stdout)


def test_the_apis_are_listed_with_those_that_have_no_document(deployment, clients, cloud):
    """The list has APIs that use the authorizer without a document, and documents without such an API."""
    arn = deployment.outputs["AuthorizerArn"]
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    api = "resta1b2c3"
    clients.apigateway.apis[api] = [{"id": "a", "authorizerUri": uri}]
    assert keyturn(*API, "--yes").exit_code == 0
    listed = json.loads(keyturn("api", "list", "--json").stdout)["apis"]
    assert {one["api"]: (one["asks_authorizer"], one["document"]) for one in listed} == {
        "abc123": (False, API_SAYS),
        api: (True, None),
    }
    printed = keyturn("api", "list").stdout.replace(api, "z" * len(api))
    transcript(cloud, "api-list-80", printed)


def test_apis_are_listed_without_the_right_to_read_api_gateway(deployment, monkeypatch):
    """The list has the documents, and says why the rest is not known."""
    monkeypatch.setattr(deployment.authorizers, "list_for_function", denied)
    assert keyturn(*API, "--yes").exit_code == 0
    listed = json.loads(keyturn("api", "list", "--json").stdout)
    assert [one["asks_authorizer"] for one in listed["apis"]] == [None]
    assert listed["read_error"] == "service:Call: AccessDenied"
    assert "Cannot tell which APIs" in keyturn("api", "list").stdout


def test_a_change_is_shown_member_by_member(deployment, cloud):
    """It shows each member before and after, when the change takes effect, and what happens to earlier tokens."""
    cloud.ssm.put(
        "/keyturn/demo/clients/orders",
        '{"audiences": ["orders", "billing"], "scopes": ["orders:read"], "subjects": "any"}',
    )
    options = ("--scope", "orders:write", "--max-lifetime", "300", "--claim", "tenant")
    transcript(
        cloud, "client-add-80", keyturn(*CLIENT, *options, "--stack", "demo", text="demo\n").stdout
    )


def test_routes_are_shown_one_by_one(deployment, cloud):
    """The changed, the new and the removed route."""
    routes = {"GET /orders": "orders:list", "POST /orders": "orders:write", "GET /": "a"}
    cloud.ssm.put("/keyturn/demo/apis/abc123", json.dumps({"audience": "orders", "routes": routes}))
    more = ("--route", "GET /=a", "--route", "GET /new=", "--cached")
    transcript(cloud, "api-add-80", keyturn(*API, *more, "--stack", "demo", text="demo\n").stdout)


def test_a_route_without_a_scope_differs_from_a_removed_one():
    """The two are told apart, although neither has anything on one side."""
    before = rows({"routes": {"GET /": "a", "GET /gone": "a"}}, {"routes": "all"})
    after = rows({"routes": {"GET /": ""}}, {"routes": "all"})
    assert list(differences(before, after)) == [
        "routes GET /      a → no scope",
        "routes GET /gone  a → –",
    ]


def test_a_document_is_shown(deployment, cloud):
    """`show` prints every member, including omitted ones, and the stack that declares the document."""
    cloud.ssm.put(
        "/keyturn/demo/clients/orders", '{"audiences": ["orders"], "subjects": ["a b", "c"]}'
    )
    cloud.ssm.tags["/keyturn/demo/clients/orders"] = {
        "aws:cloudformation:stack-name": "team-orders"
    }
    transcript(cloud, "client-show-80", keyturn("client", "show", "orders").stdout)
