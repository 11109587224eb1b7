"""Tokens are taken back on the local AWS, by the operator's command, while others go on."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import pytest

from keyturn.aws.deployment import Deployment
from keyturn.cli.verify.explanation import explain
from tests.demo import story
from tests.e2e.conftest import Keyturn

CLIENTS = ("shop", "billing")
DOCUMENT = json.dumps({"audiences": ["keyturn"], "scopes": ["whoami:read"]})
OK, UNAUTHORIZED, UNAVAILABLE = 200, 401, 503


@dataclass
class Load:
    """What a client saw that goes on all the time."""

    answers: list[int]


@pytest.fixture(autouse=True)
def _clients(deployment: Deployment) -> Iterator[None]:
    for client in CLIENTS:
        deployment.client_documents.put(client, DOCUMENT)
    yield
    for client in CLIENTS:
        deployment.client_documents.remove(client)


def ask(deployment: Deployment, client: str) -> str:
    """A token; waits for as long as the issuer says."""
    for _ in range(10):
        answer = deployment.post_token({"scope": "whoami:read"}, client=client)
        if answer.status != UNAVAILABLE:
            break
        time.sleep(int(answer.headers["Retry-After"]))
    assert answer.status == OK, answer.body
    return str(answer.body["access_token"])


def is_cut_off(deployment: Deployment, token: str) -> bool:
    """Whether a cut-off refuses it, whatever else does: tokens live for seconds here."""
    checks = explain(deployment.as_stack, token).checks
    return any(check.name == "cut-off" and not check.passed for check in checks)


@contextmanager
def under_load(deployment: Deployment, client: str) -> Iterator[Load]:
    """The client asks for tokens and uses them, over and over."""
    load, stop = Load([]), Event()

    def go_on() -> None:
        while not stop.is_set():
            load.answers.append(deployment.get("/whoami", ask(deployment, client)).status)

    thread = Thread(target=go_on)
    thread.start()
    try:
        yield load
    finally:
        stop.set()
        thread.join()


def test_one_of_two_clients_is_cut_off(deployment: Deployment, keyturn: Keyturn) -> None:
    """Its tokens are out within the bound, its next one is good, and the other client sees nothing."""
    old = ask(deployment, "shop")
    with under_load(deployment, "billing") as load:
        said = keyturn("revoke", "--client", "shop", "--reason", "test", "--yes")
        refused = deployment.get("/whoami", old).status
        new = ask(deployment, "shop")
        accepted = deployment.get("/whoami", new).status
    assert said["problems"] == []
    assert said["proof"]["seconds"] <= said["proof"]["bound"] + 5
    assert (refused, accepted) == (UNAUTHORIZED, OK)
    assert len(load.answers) > 5
    assert set(load.answers) == {OK}
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
    assert deployment.get("/whoami", new).status == OK
    assert is_cut_off(deployment, old)
    assert not is_cut_off(deployment, new)
