"""Tokens are taken back on the local AWS, by the operator's command, while others go on."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.verify.explanation import explain
from tests.e2e.conftest import Keyturn
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


def ask(deployment: Deployment, name: str) -> str:
    """A token; waits for as long as the issuer says."""
    return client(deployment, name).token(deployment)


def is_cut_off(deployment: Deployment, token: str) -> bool:
    """Whether a cut-off refuses it, whatever else does: tokens live for seconds here."""
    checks = explain(deployment, token).checks
    return any(check.name == "cut-off" and not check.passed for check in checks)


def test_one_of_two_clients_is_cut_off(deployment: Deployment, keyturn: Keyturn) -> None:
    """Its tokens are out within the bound, its next one is good, and the other client sees nothing."""
    seen = cut_off(deployment, client(deployment, "shop"), client(deployment, "billing"))
    assert seen.accepted_after_bound == 0
    assert seen.other_accepted > 5
    assert seen.other_refused == 0
    names = [cutoff["name"] for cutoff in keyturn("status")["cutoffs"]]
    assert "client shop" in names


def test_a_token_is_taken_back(deployment: Deployment, keyturn: Keyturn, tmp_path: Path) -> None:
    """It alone: another one of the same client goes on; verify says why."""
    file, other = tmp_path / "token", ask(deployment, "billing")
    file.write_text(ask(deployment, "billing"))
    said = keyturn("revoke", "--token", str(file), "--reason", "test", "--yes")
    assert said["proof"]["seconds"] <= said["proof"]["bound"] + 5
    assert is_cut_off(deployment, file.read_text())
    assert not is_cut_off(deployment, other)


def test_a_subject_without_step_functions(deployment: Deployment, keyturn: Keyturn) -> None:
    """`--direct` does the same with the operator's credentials."""
    said = keyturn("revoke", "--subject", "mallory", "--direct", "--reason", "test", "--yes")
    assert said["problems"] == []
    assert said["proof"]["seconds"] <= said["proof"]["bound"] + 5
    story.lets_in(deployment)


def test_a_client_is_blocked_and_released(deployment: Deployment, keyturn: Keyturn) -> None:
    """Blocked: 401 for its tokens, 403 for its requests; released: its next token is good."""
    old = ask(deployment, "shop")
    keyturn("client", "block", "shop", "--reason", "test", "--yes")
    assert is_cut_off(deployment, old)
    refusal = deployment.post_token({}, client="shop")
    assert (refusal.status, refusal.body["error"]) == (403, "unauthorized_client")
    keyturn("client", "release", "shop", "--reason", "test", "--yes")
    deployment.clock.sleep(deployment.settings.times.view_ttl + 0.5)
    new = ask(deployment, "shop")
    assert deployment.get("/whoami", new).status == 200
    assert is_cut_off(deployment, old)
    assert not is_cut_off(deployment, new)
