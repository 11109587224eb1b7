"""A client that never rests: it issues tokens and tries every unexpired one it holds."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Self

import jwt

from keyturn.aws.faults import NoReply
from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.operator.http import Answer
from tools.background import in_background

_PAUSE = 0.4  # seconds between two tokens: 15-second tokens keep some 35 of them alive
_GATEWAY_FAILURES = (502, 504)  # API Gateway lost the function's answer: it says nothing of a token


@dataclass(frozen=True)
class Token:
    """A token that a client holds; instants in epoch seconds."""

    text: str
    kid: str
    issued: float
    exp: float

    @classmethod
    def parse(cls, text: str, issued: float) -> Self:
        """The token that was requested at `issued`."""
        claims = jwt.decode(text, options={"verify_signature": False})
        return cls(text, jwt.get_unverified_header(text)["kid"], issued, claims["exp"])


@dataclass(frozen=True)
class Refusal:
    """A valid token that was refused, or a token that could not be had."""

    phase: str
    what: str


@dataclass
class Revocation:
    """What the client saw of a revocation; instants in epoch seconds."""

    kid: str
    commanded: float
    first_refusal: float | None = None
    refused: int = 0
    accepted_when_sent_at: list[float] = field(default_factory=list)
    others_accepted: Counter[str] = field(default_factory=Counter)

    def note(self, *, sent: float, status: int) -> None:
        """An answer to a token of the revoked key."""
        if status == 200:
            self.accepted_when_sent_at.append(sent)
        else:
            self.refused += 1
            self.first_refusal = self.first_refusal or time.time()


@dataclass
class Tally:
    """What happened, by phase."""

    issued: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    refused: list[Refusal] = field(default_factory=list)
    unanswered: list[Refusal] = field(default_factory=list)
    kids: set[str] = field(default_factory=set)
    seconds_per_call: list[float] = field(default_factory=list)  # to /whoami
    seconds_without_issuer: float = 0.0
    revocation: Revocation | None = None


class BackgroundClient:
    """Threads that issue and call `/whoami` until stopped; `phase()` says what is going on."""

    def __init__(
        self, deployment: Deployment, phase: Callable[[], str], *, callers: int = 1
    ) -> None:
        self._deployment = deployment
        self._phase = phase
        self._callers = callers
        self._tokens: list[Token] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._issuer_down_since: float | None = None
        self.tally = Tally()

    @contextmanager
    def running(self) -> Iterator[Tally]:
        """Run for as long as the block lasts."""
        works = [self._issue, *[self._try_all] * self._callers]
        with in_background(self._stop, *(partial(self._attempt, work) for work in works)):
            yield self.tally

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except NoReply as error:  # the token is tried again
            self.tally.unanswered.append(Refusal(self._phase(), str(error)))
            self._stop.wait(_PAUSE)
        except Exception as error:  # a finding, not the end of the client
            self._note_refusal(f"{work.__name__}: {type(error).__name__}: {error}")
            self._stop.wait(_PAUSE)

    def _issue(self) -> None:
        began = time.time()
        request = {"subject": "demo", "scope": "whoami:read"}
        answer = _insist_on_reply("POST /token", self._deployment.post_token(request))
        if answer.status != 200:
            self._issuer_down_since = self._issuer_down_since or began
            self._note_refusal(f"POST /token answered {answer.status}")
        else:
            if self._issuer_down_since is not None:
                self.tally.seconds_without_issuer += time.time() - self._issuer_down_since
                self._issuer_down_since = None
            token = Token.parse(answer.body["access_token"], began)
            with self._lock:
                self._tokens.append(token)
                self.tally.issued[self._phase()] += 1
                self.tally.kids.add(token.kid)
        self._stop.wait(_PAUSE)

    def _try_all(self) -> None:
        with self._lock:
            self._tokens = [token for token in self._tokens if token.exp > time.time()]
            tokens = list(self._tokens)
        if not tokens:
            self._stop.wait(_PAUSE)
        for token in tokens:
            if self._stop.is_set():
                return
            last_call = self.tally.seconds_per_call[-1:] or [0.0]
            if time.time() + last_call[0] < token.exp:  # a later answer would prove nothing
                self._try(token)

    def _try(self, token: Token) -> None:
        sent = time.time()
        answer = self._deployment.get("/whoami", token.text)
        status = _insist_on_reply("GET /whoami", answer).status
        arrived = time.time()
        self.tally.seconds_per_call.append(arrived - sent)
        revocation = self.tally.revocation
        with self._lock:
            if revocation and token.kid == revocation.kid:
                if arrived < token.exp:
                    revocation.note(sent=sent, status=status)
                if status != 200 and token in self._tokens:
                    self._tokens.remove(token)  # another 401 would cost MiniStack its warm worker
                return
            if status == 200:
                self.tally.accepted[self._phase()] += 1
                if revocation and sent > revocation.commanded:
                    revocation.others_accepted[token.kid] += 1
                return
        if arrived < token.exp:  # whatever arrives later may be an honest "expired"
            self._note_refusal(f"GET /whoami answered {status}")

    def _note_refusal(self, what: str) -> None:
        self.tally.refused.append(Refusal(self._phase(), what))


def _insist_on_reply(call: str, answer: Answer) -> Answer:
    """The answer, if it is the function's own; raises NoReply."""
    if answer.status in _GATEWAY_FAILURES:
        raise NoReply(call, str(answer.status))
    return answer
