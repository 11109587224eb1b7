"""`keyturn client` and `keyturn api` on a deployed stack: the issuer and the doctor read what they write."""

import time
from collections.abc import Iterator

import pytest

from keyturn.aws.operator.deployment import Deployment
from keyturn.keyset import timing
from tests.e2e.conftest import keyturn

CLIENT = ("shop", "--audience", "orders", "--yes")


@pytest.fixture(autouse=True)
def tidy(deployment: Deployment) -> Iterator[None]:
    """Remove the documents afterwards."""
    yield
    deployment.client_documents.remove("shop")
    deployment.api_documents.remove("gone")


def test_a_client_gets_what_its_document_says(deployment: Deployment) -> None:
    """A document that is added, narrowed or removed counts C + ε after the write."""
    bound = timing.issuing_bound(deployment.settings.times).total_seconds()
    asking = ("shop", "--scope", "orders:read")
    assert "there is no client shop" in keyturn("issue", "--client", *asking, status=1)["error"]
    keyturn("client", "add", *CLIENT, "--scope", "orders:read")
    time.sleep(bound)
    assert keyturn("client", "explain", *asking)["status"] == 200
    assert keyturn("issue", "--client", *asking)["scope"] == "orders:read"
    keyturn("client", "add", *CLIENT)
    time.sleep(bound)
    assert keyturn("client", "explain", *asking, status=1)["error"] == "invalid_scope"
    assert "scope: " in keyturn("issue", "--client", *asking, status=2)["error"]
    keyturn("client", "remove", "shop", "--yes")
    time.sleep(bound)
    assert keyturn("client", "explain", *asking, status=1)["status"] == 403
    assert "there is no client shop" in keyturn("issue", "--client", *asking, status=1)["error"]


def test_what_the_stack_itself_declares_is_left_to_it(deployment: Deployment) -> None:
    """The command does not remove a client that the stack declares, by CloudFormation's tag."""
    shown = keyturn("client", "show", "operator")
    assert shown["stack"] == deployment.stack
    refusal = keyturn("client", "remove", "operator", "--yes", status=1)["error"]
    assert f"the stack {deployment.stack} declares" in refusal
    assert keyturn("client", "show", "operator") == shown


def test_doctor_finds_the_document_of_an_api_that_is_not_there(deployment: Deployment) -> None:
    """The doctor reports a document without its API, and its remedy removes the finding."""
    keyturn("api", "add", "gone", "--audience", "orders", "--route", "GET /orders=a", "--yes")
    [finding] = keyturn("doctor", status=1)["findings"]
    assert (finding["code"], finding["subject"]) == ("api_missing", "gone")
    keyturn("api", "remove", "gone", "--yes")
    assert keyturn("doctor")["findings"] == []
