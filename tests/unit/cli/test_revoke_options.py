"""`keyturn revoke --cut-sessions` and `--dry-run`."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from keyturn.aws.operator.permissions import Permission
from keyturn.cli import preflight, session_cut
from keyturn.cli.revoke import revoke
from keyturn.cli.terminal import CommandFailed, Terminal
from keyturn.keyset.model import EndedKey
from tests.unit.cli.deployed import NOW, ORDER, A, Deployed, broken, denied

CUT = replace(ORDER, cut_sessions=True)


def cut_with(monkeypatch: pytest.MonkeyPatch, effect: Callable[[], object]) -> None:
    """Make the cut of sessions succeed, with this effect."""

    def cut_sessions(_stack: str) -> str:
        effect()
        return "issuer-role"

    monkeypatch.setattr(session_cut, "cut_sessions", cut_sessions)


def test_sessions_are_cut_after_the_start_and_issuing_is_proved(
    deployed: Any, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """The revocation does not wait for IAM, and answers of 503 until new containers run are no failure."""
    started = []

    def cut() -> None:
        started.extend(deployed.started)
        deployed.token_statuses = [503, 503, 200]

    cut_with(monkeypatch, cut)
    revoke(terminal, deployed, CUT)
    assert started
    assert "The issuer issues tokens again." in capsys.readouterr().out


def test_a_token_of_the_first_seconds_after_a_cut_proves_nothing(
    deployed: Any, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The issuer is asked only after 30 s, because until then an old session may issue a token."""
    requested_at: list[datetime] = []

    def post_token(body: Any) -> Any:
        requested_at.append(deployed.now)
        return Deployed.post_token(deployed, body)

    cut_with(monkeypatch, lambda: monkeypatch.setattr(deployed, "post_token", post_token))
    revoke(terminal, deployed, CUT)
    assert requested_at
    assert min(requested_at) - NOW >= timedelta(seconds=30)


def test_a_cut_after_which_no_token_is_issued_says_how_to_undo_it(
    deployed: Any, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After two minutes of 503 the command prints how to remove the policy; the key stays revoked."""
    cut_with(monkeypatch, lambda: deployed.token_statuses.__setitem__(0, 503))
    undo = "aws iam delete-role-policy --role-name issuer-role --policy-name keyturn-cut-sessions"
    with pytest.raises(CommandFailed, match=undo):
        revoke(terminal, deployed, CUT)
    assert deployed.now - NOW > timedelta(minutes=2)
    assert isinstance(deployed.keyset.find(A), EndedKey)


@pytest.mark.parametrize("error", [denied, broken])
def test_a_cut_that_fails_is_a_problem_and_stops_nothing(
    deployed: Any, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, error: Callable[..., Any]
) -> None:
    """The command fails, but the key is revoked."""
    monkeypatch.setattr(session_cut, "cut_sessions", error)
    with pytest.raises(CommandFailed, match="sessions are not cut"):
        revoke(terminal, deployed, CUT)
    assert isinstance(deployed.keyset.find(A), EndedKey)


DRY_RUN = replace(ORDER, dry_run=True, yes=False)


@pytest.mark.parametrize(
    ("verdict", "message"),
    [("allowed", "StartExecution: allowed"), ("unknown", "needs iam:SimulatePrincipalPolicy")],
)
def test_a_dry_run_asks_iam_and_changes_nothing(
    deployed: Any,
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
    verdict: str,
    message: str,
) -> None:
    """It prints whether IAM allows these credentials to start the execution, and starts nothing."""
    monkeypatch.setattr(preflight, "simulate", lambda *_: Permission(verdict))
    revoke(terminal, deployed, DRY_RUN)
    assert message in capsys.readouterr().out
    assert not deployed.started


@pytest.mark.parametrize("direct", [False, True])
def test_a_dry_run_fails_where_the_real_run_would_be_denied(
    deployed: Any, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, direct: bool
) -> None:
    """The error names each missing permission."""
    monkeypatch.setattr(preflight, "simulate", lambda *_: Permission.DENIED)
    missing = "ssm:PutParameter or kms:DisableKey" if direct else "states:StartExecution"
    with pytest.raises(CommandFailed, match=f"may not {missing}"):
        revoke(terminal, deployed, replace(DRY_RUN, direct=direct))


def test_a_dry_run_does_not_depend_on_sts(deployed: Any, terminal: Terminal) -> None:
    """It succeeds if STS refuses to say who is calling, as the real run does."""
    deployed.caller = denied
    revoke(terminal, deployed, DRY_RUN)
