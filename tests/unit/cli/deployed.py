"""A deployed stack without AWS, as far as `keyturn revoke` needs one."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from keyturn.access.client import Client, Subjects
from keyturn.aws.faults import AwsFault
from keyturn.cli.revocation import Order
from keyturn.cli.verify.checks import Decoded
from keyturn.keyset.cutoffs import Claim, CutOff
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import State
from keyturn.tokens import jws

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:rotation"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
A, S, GONE = "A" * 43, "S" * 43, "G" * 43
KEYS = Keyset(
    keys=(
        Key(A, "arn:a", State.ACTIVE, 3600, NOW, published=NOW, activated=NOW),
        Key(S, "arn:s", State.STANDBY, 3600, NOW, published=NOW),
    ),
    ended=(EndedKey(GONE, "arn:g", State.REVOKED, NOW, NOW),),
)
ORDER = Order(active=True, reason="drill", yes=True)


def out(keyset: Keyset, *kids: str) -> Keyset:
    """The keyset without these keys."""
    ended = tuple(EndedKey(kid, "arn", State.REVOKED, NOW, NOW) for kid in kids)
    remaining = tuple(key for key in keyset.keys if key.kid not in kids)
    return Keyset(remaining, (*keyset.ended, *ended))


def signed(**claims: Any) -> str:
    """Something of the shape of a token of the active key."""
    return jws.serialize(jws.build_signing_input(A, claims), bytes(256))


@dataclass
class Deployed:
    """A stack with preset answers; `answers` are the statuses of `/whoami`, the last of which repeats."""

    times: Any
    answers: list[int]
    keyset: Keyset = KEYS
    stack: str = "demo"
    now: datetime = NOW
    started: list[Any] = field(default_factory=list)
    token_statuses: list[int] = field(default_factory=lambda: [200])
    outputs: dict[str, str] = field(default_factory=lambda: {"StateMachineArn": MACHINE})
    caller: Callable[[], str] = lambda: "arn:operator"
    documents: dict[str, Client] = field(
        default_factory=lambda: {
            "shop": Client("shop", frozenset({"billing", "orders"})),
            "any": Client("any", frozenset({"billing"}), subjects=Subjects.ANY),
            "two": Client("two", frozenset({"orders"}), subjects=frozenset({"bob", "ann"})),
        }
    )
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = SimpleNamespace(times=self.times, audience="orders")
        self.client_documents = SimpleNamespace(read=self.documents.get)
        self.issued: list[tuple[str, Any]] = []
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
        blocks = tuple(CutOff(Claim.CLIENT, digest, NOW) for digest in event.get("block", ()))
        self.keyset = replace(out(self.keyset, *event["kids"]), cutoffs=blocks)
        return "arn:execution"

    def log_lines(self, _containing: str) -> list[str]:
        """What the functions logged."""
        return self.lines

    def post_token(self, body: Any, *, client: str = "operator") -> Any:
        """An answer with a new token."""
        self.issued.append((client, body))
        subject, issued = body.get("subject", client), int(self.now.timestamp())
        token = signed(sub=subject, client_id=client, jti=f"jti-{issued}", iat=issued)
        statuses = self.token_statuses
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        return SimpleNamespace(status=status, body={"access_token": token})

    def get(self, _path: str, token: str) -> Any:
        """The next answer; a token that no revocation is about is accepted."""
        if (Decoded.from_token(token).claims or {}).get("sub") == "keyturn-witness":
            return SimpleNamespace(status=200)
        return SimpleNamespace(
            status=self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        )


def denied(*_: Any) -> Any:
    """As AWS refuses."""
    raise AwsFault("service:Call", "AccessDenied")


def broken(*_: Any) -> Any:
    """As no code expects."""
    raise TypeError("expected str")
