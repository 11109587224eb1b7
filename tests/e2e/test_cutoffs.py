"""Cut-offs on the local AWS with the operator's command; other clients are not affected."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.verify.explanation import explain
from tests.e2e.conftest import keyturn
from tools.demo import story
from tools.demo.cutoff import Client, cut_off

CLIENTS = ("shop", "billing")
SCOPE = "whoami:read"
DOCUMENT = json.dumps({"audiences": ["keyturn"], "scopes": [SCOPE]})


@pytest.fixture(autouse=True)
def _clients(deployment: Deployment) -> Iterator[None]:
    for client in CLIENTS:
        deployment.client_documents.put(client, DOCUMENT)
    yield
    for client in CLIENTS:
        deployment.client_documents.remove(client)


def client(deployment: Deployment, name: str) -> Client:
    """A client that calls /whoami."""
    return Client(name, SCOPE, lambda token: deployment.get("/whoami", token).status)


def is_cut_off(deployment: Deployment, token: str) -> bool:
    """Whether a cut-off refuses it, whatever else does: tokens live for seconds here."""
    checks = explain(deployment, token).checks
    return any(check.name == "cut-off" and not check.passed for check in checks)


def test_one_of_two_clients_is_cut_off(deployment: Deployment) -> None:
    """A client's tokens are refused within the bound, its next one is good, and the other client is not affected."""
    measurement = cut_off(deployment, client(deployment, "shop"), client(deployment, "billing"))
    assert measurement.accepted_after_bound == 0
    assert measurement.other_accepted > 5
    assert measurement.other_refused == 0
    names = [cutoff["name"] for cutoff in keyturn("status")["cutoffs"]]
    assert "client shop" in names


def test_a_token_is_taken_back(deployment: Deployment, tmp_path: Path) -> None:
    """A single token is refused, another one of the same client is not; `verify` says why."""
    billing = client(deployment, "billing")
    file, other = tmp_path / "token", billing.token(deployment)
    file.write_text(billing.token(deployment))
    answer = keyturn("revoke", "--token", str(file), "--reason", "test", "--yes")
    assert answer["proof"]["bound"] == deployment.revocation_bound.total_seconds()
    assert is_cut_off(deployment, file.read_text())
    assert not is_cut_off(deployment, other)


def test_a_subject_without_step_functions(deployment: Deployment) -> None:
    """`revoke --subject --direct` cuts a subject off with the operator's own credentials."""
    answer = keyturn("revoke", "--subject", "mallory", "--direct", "--reason", "test", "--yes")
    assert answer["problems"] == []
    assert answer["proof"]["bound"] == deployment.revocation_bound.total_seconds()
    story.lets_in(deployment)


def test_a_client_is_blocked_and_released(deployment: Deployment) -> None:
    """A blocked client gets 401 for its tokens and 403 for its requests; after release its next token is good."""
    shop = client(deployment, "shop")
    old = shop.token(deployment)
    keyturn("client", "block", "shop", "--reason", "test", "--yes")
    assert is_cut_off(deployment, old)
    refusal = deployment.post_token({}, client="shop")
    assert (refusal.status, refusal.body["error"]) == (403, "unauthorized_client")
    keyturn("client", "release", "shop", "--reason", "test", "--yes")
    deployment.clock.sleep(deployment.settings.times.view_ttl + 0.5)
    new = shop.token(deployment)
    assert deployment.get("/whoami", new).status == 200
    assert is_cut_off(deployment, old)
    assert not is_cut_off(deployment, new)
