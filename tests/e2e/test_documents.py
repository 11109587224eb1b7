"""`keyturn client` and `keyturn api` on a deployed stack: what they write is what issuer and doctor read."""

import time
from collections.abc import Iterator

import pytest

from keyturn.aws.operator.deployment import Deployment
from keyturn.keyset import timing
from tests.e2e.conftest import Keyturn

CLIENT = ("shop", "--audience", "orders", "--yes")


@pytest.fixture(autouse=True)
def tidy(deployment: Deployment) -> Iterator[None]:
    """Nothing of it stays."""
    yield
    deployment.client_documents.remove("shop")
    deployment.api_documents.remove("gone")


def test_a_client_gets_what_its_document_says_and_from_when_it_is_said(
    deployment: Deployment, keyturn: Keyturn
) -> None:
    """Added, narrowed, removed: each counts C + ε after the write, as the command prints it."""
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


def test_what_the_stack_itself_declares_is_left_to_it(
    deployment: Deployment, keyturn: Keyturn
) -> None:
    """The client `operator`: CloudFormation's tag names the stack."""
    shown = keyturn("client", "show", "operator")
    assert shown["stack"] == deployment.stack
    refusal = keyturn("client", "remove", "operator", "--yes", status=1)["error"]
    assert f"the stack {deployment.stack} declares" in refusal
    assert keyturn("client", "show", "operator") == shown


def test_doctor_finds_the_document_of_an_api_that_is_not_there(
    deployment: Deployment, keyturn: Keyturn
) -> None:
    """And its remedy ends it."""
    keyturn("api", "add", "gone", "--audience", "orders", "--route", "GET /orders=a", "--yes")
    [finding] = keyturn("doctor", status=1)["findings"]
    assert (finding["code"], finding["subject"]) == ("api_missing", "gone")
    keyturn("api", "remove", "gone", "--yes")
    assert keyturn("doctor")["findings"] == []
