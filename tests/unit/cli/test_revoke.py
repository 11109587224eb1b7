"""`keyturn revoke` when things go wrong around it: nothing holds the revocation up."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from keyturn.aws.faults import NoReply
from keyturn.cli import revocation
from keyturn.cli.proof_tokens import ProofTokens
from keyturn.cli.revoke import resolve, revoke
from keyturn.cli.terminal import CommandFailed, Terminal, UsageError
from keyturn.keyset.model import EndedKey
from tests.unit.cli.deployed import GONE, KEYS, NOW, ORDER, A, S, broken, denied, out
from tests.unit.cli.test_manners import documented


def test_a_revocation_is_proved(deployed: Any, terminal: Terminal, capsys: Any) -> None:
    """A token issued just before is tried until it is refused; the output has the seconds."""
    revoke(terminal, deployed, ORDER)
    assert deployed.started == [
        {"mode": "emergency", "kids": [A], "reason": "drill", "started_by": "arn:operator"}
    ]
    assert (
        "Proved: refused 0.2 s after the command; the bound is 2 s from the write."
        in capsys.readouterr().out
    )


def test_its_object_is_the_documented_one(deployed: Any, capsys: Any) -> None:
    """`--json` prints the members that docs/operating.md has, and no others."""
    revoke(Terminal("demo", as_json=True), deployed, ORDER)
    answer = json.loads(capsys.readouterr().out)
    assert answer.keys() == documented("revoke")
    assert answer["proof"].keys() == {"seconds", "bound"}


def test_a_token_accepted_past_the_bound_is_a_failure(deployed: Any, terminal: Terminal) -> None:
    """Five seconds past the bound the command gives up, and says where to look."""
    deployed.answers = [200]
    with pytest.raises(CommandFailed, match=r"still accepted 5 s past the bound of 2 s"):
        revoke(terminal, deployed, ORDER)
    assert timedelta(seconds=7) < deployed.now - NOW < timedelta(seconds=8)
    assert deployed.started


@pytest.mark.parametrize("error", [denied, broken, lambda *_: SimpleNamespace(status=503)])
@pytest.mark.parametrize("optional", ["post_token", "get", "caller"])
def test_nothing_optional_holds_the_revocation_up(
    deployed: Any, terminal: Terminal, optional: str, error: Callable[..., Any]
) -> None:
    """The token, the proof, the caller's name: whatever they raise, the execution is started."""
    setattr(deployed, optional, error)
    with suppress(CommandFailed):  # a proof that fails is a problem, told at the end
        revoke(terminal, deployed, ORDER)
    assert isinstance(deployed.keyset.find(A), EndedKey)


def test_an_issuer_that_hangs_delays_the_revocation_by_seconds_only(
    deployed: Any, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """The token is given up when its time is over, and the reason is printed."""
    monkeypatch.setattr(revocation, "_TOKEN_SECONDS", 0.01)
    never = threading.Event()
    deployed.post_token = lambda _body, **_: never.wait()
    revoke(terminal, deployed, ORDER)
    never.set()
    assert deployed.started
    assert "cannot be proved: no answer within 0.01 s" in capsys.readouterr().out
    assert revocation._TOKEN_SECONDS == 0.01


def test_an_api_that_does_not_answer_is_a_failure_after_the_revocation(
    deployed: Any, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof fails, the execution is followed to its end, and the exit status is not 0."""
    monkeypatch.setattr(revocation, "find_tokens", lambda *_: ProofTokens("token"))

    def unanswered(*_: Any) -> Any:
        raise NoReply("GET /whoami", "MaxRetryError")

    deployed.get = unanswered
    with pytest.raises(CommandFailed, match="MaxRetryError"):
        revoke(terminal, deployed, ORDER)
    assert isinstance(deployed.keyset.find(A), EndedKey)


def test_a_start_that_fails_names_break_glass(deployed: Any, terminal: Terminal) -> None:
    """Nothing is revoked then, and the remedy says how to do without Step Functions."""
    deployed.start = denied
    with pytest.raises(CommandFailed, match="service:Call: AccessDenied") as raised:
        revoke(terminal, deployed, ORDER)
    assert "--direct" in raised.value.remedy


def test_a_given_token_must_be_of_a_key_that_goes(
    deployed: Any, terminal: Terminal, tmp_path: Path, capsys: Any
) -> None:
    """A token of another key, or no token at all, proves nothing; the output says so."""
    file = tmp_path / "token"
    for text, message in (
        (deployed.post_token({}).body["access_token"], "is not one of those"),
        ("x", "no token"),
    ):
        file.write_text(text)
        deployed.keyset = KEYS
        order = replace(ORDER, active=False, kids=(S,), proof_token=file)
        revoke(terminal, deployed, order)
        assert message in " ".join(capsys.readouterr().out.split())


def test_consent_is_the_stacks_name(
    deployed: Any, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any other answer does nothing."""
    order = replace(ORDER, yes=False)
    monkeypatch.setattr(typer, "prompt", lambda _: "keyturn")
    with pytest.raises(UsageError, match="nothing was done"):
        revoke(terminal, deployed, order)
    assert deployed.started == []
    monkeypatch.setattr(typer, "prompt", lambda _: "demo")
    revoke(terminal, deployed, order)
    assert deployed.started


def test_targets_are_resolved_before_anything_starts() -> None:
    """Exactly one way to name the keys; `--active` and `--all` become kids; unknown kids are named."""
    named = replace(ORDER, active=False)
    assert resolve(KEYS, ORDER) == (A,)
    assert resolve(KEYS, replace(named, everything=True)) == (A, S)
    assert resolve(KEYS, replace(named, kids=(GONE, S))) == (GONE, S)
    for wrong in (named, replace(ORDER, kids=(A,)), replace(ORDER, everything=True)):
        with pytest.raises(UsageError, match="name KIDs"):
            resolve(KEYS, wrong)
    with pytest.raises(UsageError, match="not in the keyset: XX"):
        resolve(KEYS, replace(named, kids=("XX", A)))
    with pytest.raises(CommandFailed, match="no key is active"):
        resolve(out(KEYS, A), ORDER)
