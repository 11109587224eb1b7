"""`keyturn client list` and `keyturn api list`."""

import json

from tests.unit.cli.deployed import denied
from tests.unit.cli.running import keyturn, transcript

CLIENT = ("client", "add", "orders", "--audience", "orders", "--scope", "orders:read", "--yes")
ROUTE = ("--route", "GET /orders=orders:read")
API = ("api", "add", "abc123", "--audience", "orders", *ROUTE, "--yes")
CLIENT_SAYS = {"audiences": ["orders"], "subjects": "itself", "scopes": ["orders:read"]}
API_SAYS = {"audience": "orders", "routes": {"GET /orders": "orders:read"}}


def test_the_clients_are_listed(deployment, cloud):
    """The list has every client, even one whose document does not parse."""
    for name in deployment.client_documents.read_texts():
        deployment.client_documents.remove(name)
    empty = keyturn("client", "list").stdout.strip()
    assert empty == "There are no clients, so no tokens can be issued."
    assert keyturn(*CLIENT).exit_code == 0
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
    assert keyturn(*API).exit_code == 0
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
    assert keyturn(*API).exit_code == 0
    listed = json.loads(keyturn("api", "list", "--json").stdout)
    assert [one["asks_authorizer"] for one in listed["apis"]] == [None]
    assert listed["read_error"] == "service:Call: AccessDenied"
    assert "Cannot tell which APIs" in keyturn("api", "list").stdout
