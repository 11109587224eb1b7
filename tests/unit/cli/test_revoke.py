"""`keyturn revoke` when things go wrong around it: nothing holds the revocation up."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from keyturn.aws.faults import AwsFault, Unanswered
from keyturn.cli import revoke as revoking
from keyturn.cli.revoke import Order, resolve, revoke
from keyturn.cli.terminal import BadUsage, Failed, Terminal
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import State
from keyturn.tokens import jws

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
A, S, GONE = "A" * 43, "S" * 43, "G" * 43
KEYS = Keyset(
    keys=(
        Key(A, "arn:a", State.ACTIVE, 3600, NOW, published=NOW, activated=NOW),
        Key(S, "arn:s", State.STANDBY, 3600, NOW, published=NOW),
    ),
    ended=(EndedKey(GONE, "arn:g", State.REVOKED, NOW),),
)
ORDER = Order((), True, False, "drill", False, False, None, False, True)


def out(keyset: Keyset, *kids: str) -> Keyset:
    """The keyset without these keys."""
    ended = tuple(EndedKey(kid, "arn", State.REVOKED, NOW) for kid in kids)
    remaining = tuple(key for key in keyset.keys if key.kid not in kids)
    return Keyset(remaining, (*keyset.ended, *ended))


@dataclass
class Deployed:
    """A stack that does what a test says; `answers` are the statuses of `/whoami`, the last stays."""

    times: Any
    answers: list[int]
    keyset: Keyset = KEYS
    stack: str = "demo"
    now: datetime = NOW
    started: list[Any] = field(default_factory=list)
    token_status: int = 200
    caller: Callable[[], str] = lambda: "arn:operator"

    def __post_init__(self) -> None:
        self.settings = SimpleNamespace(times=self.times)
        self.revocation_bound = timedelta(seconds=2)
        self.clock = SimpleNamespace(now=lambda: self.now, sleep=self.sleep)
        self.executions = SimpleNamespace(
            status=lambda _: "SUCCEEDED", visits=lambda _: [], cause=lambda _: ""
        )

    def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    def start(self, event: Any) -> str:
        """The state machine does its work at once."""
        self.started.append(event)
        self.keyset = out(self.keyset, *event["kids"])
        return "arn:execution"

    def post_token(self, _body: Any) -> Any:
        """Something of the shape of a token of the active key."""
        token = jws.compact(jws.signing_input(A, {}), bytes(256))
        return SimpleNamespace(status=self.token_status, body={"access_token": token})

    def get(self, _path: str, _token: str) -> Any:
        """The next answer."""
        return SimpleNamespace(
            status=self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        )


@pytest.fixture
def deployed(demo_times: Any) -> Deployed:
    """A token is good once, then accepted once more, then refused."""
    return Deployed(demo_times, [200, 200, 401])


@pytest.fixture
def terminal() -> Terminal:
    """Speaks to people."""
    return Terminal("demo", as_json=False)


def test_a_revocation_is_proved(deployed: Deployed, terminal: Terminal, capsys: Any) -> None:
    """A token issued just before is tried until it is refused, and the seconds are told."""
    revoke(terminal, deployed, ORDER)
    assert deployed.started == [
        {"mode": "emergency", "kids": [A], "reason": "drill", "started_by": "arn:operator"}
    ]
    assert "Proved: refused 0.2 s after the command; the bound is 2 s." in capsys.readouterr().out


def test_a_token_accepted_past_the_bound_is_a_failure(
    deployed: Deployed, terminal: Terminal
) -> None:
    """Five seconds past the bound the command gives up, and says where to look."""
    deployed.answers = [200]
    with pytest.raises(Failed, match=r"still accepted 5 s past the bound of 2 s"):
        revoke(terminal, deployed, ORDER)
    assert timedelta(seconds=7) < deployed.now - NOW < timedelta(seconds=8)
    assert deployed.started


@pytest.mark.parametrize("trouble", ["no token", "no caller", "no cut"])
def test_nothing_holds_the_revocation_up(
    deployed: Deployed, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """An issuer that is down, an STS that denies, an IAM that denies: the keys are out all the same."""

    def denied(*_: Any) -> str:
        raise AwsFault("iam:PutRolePolicy", "AccessDenied")

    order = ORDER
    match trouble:
        case "no token":
            deployed.token_status = 503
        case "no caller":
            deployed.caller = denied
        case "no cut":
            monkeypatch.setattr(revoking, "cut_sessions", denied)
            order = replace(ORDER, cut_sessions=True)
    if trouble == "no cut":
        with pytest.raises(Failed, match="sessions are not cut: iam:PutRolePolicy: AccessDenied"):
            revoke(terminal, deployed, order)
    else:
        revoke(terminal, deployed, order)
    assert isinstance(deployed.keyset.find(A), EndedKey)


def test_an_api_that_does_not_answer_is_a_failure_after_the_revocation(
    deployed: Deployed, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof fails, the execution is followed all the same, and the exit status is not 0."""
    monkeypatch.setattr(revoking, "new_token", lambda _: "token")

    def unanswered(*_: Any) -> Any:
        raise Unanswered("GET /whoami", "MaxRetryError")

    deployed.get = unanswered  # type: ignore[method-assign]
    with pytest.raises(Failed, match="MaxRetryError"):
        revoke(terminal, deployed, ORDER)
    assert isinstance(deployed.keyset.find(A), EndedKey)


def test_a_given_token_must_be_of_a_key_that_goes(
    deployed: Deployed, terminal: Terminal, tmp_path: Path, capsys: Any
) -> None:
    """A token of another key, or no token at all, proves nothing and is said to."""
    file = tmp_path / "token"
    for text, message in (
        (deployed.post_token({}).body["access_token"], "is not of a key"),
        ("x", "no token"),
    ):
        file.write_text(text)
        deployed.keyset = KEYS
        order = replace(ORDER, active=False, kids=(S,), token_file=file)
        revoke(terminal, deployed, order)
        assert message in " ".join(capsys.readouterr().out.split())


def test_consent_is_the_stacks_name(
    deployed: Deployed, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anything else typed, and nothing is done."""
    order = replace(ORDER, yes=False)
    monkeypatch.setattr(typer, "prompt", lambda _: "keyturn")
    with pytest.raises(BadUsage, match="nothing was done"):
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
        with pytest.raises(BadUsage, match="name KIDs"):
            resolve(KEYS, wrong)
    with pytest.raises(BadUsage, match="not in the keyset: XX"):
        resolve(KEYS, replace(named, kids=("XX", A)))
    with pytest.raises(Failed, match="no key is active"):
        resolve(out(KEYS, A), ORDER)
