"""A client that never rests: it issues tokens and tries every unexpired one it holds."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import jwt

from keyturn.aws.faults import NoReply
from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.operator.http import Answer

_PAUSE = 0.4  # seconds between two tokens: 15-second tokens keep some 35 of them alive
_GATEWAY_FAILURES = (502, 504)  # API Gateway lost the function's answer: it says nothing of a token


@dataclass(frozen=True)
class Token:
    """A token the client holds; `exp` in epoch seconds."""

    text: str
    kid: str
    exp: float


@dataclass(frozen=True)
class Refusal:
    """A valid token that was not let in, or a token that could not be had."""

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
    seconds_without_issuer: float = 0.0
    revocation: Revocation | None = None


class BackgroundClient:
    """Threads that issue and call `/whoami` until stopped; `phase()` says what is going on."""

    def __init__(self, deployment: Deployment, phase: Callable[[], str]) -> None:
        self._deployment = deployment
        self._phase = phase
        self._held: list[Token] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._issuer_down_since: float | None = None
        self._last_took = 0.0
        self.tally = Tally()

    @contextmanager
    def running(self) -> Iterator[Tally]:
        """Run for as long as the block lasts."""
        threads = [
            threading.Thread(target=self._repeat, args=(work,), daemon=True)
            for work in (self._issue, self._try_all)
        ]
        for thread in threads:
            thread.start()
        try:
            yield self.tally
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def _repeat(self, work: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                work()
            except NoReply as error:  # the token is tried again
                self.tally.unanswered.append(Refusal(self._phase(), str(error)))
                self._stop.wait(_PAUSE)
            except Exception as error:  # a finding, not the end of the client
                self._refuse(f"{work.__name__}: {type(error).__name__}: {error}")
                self._stop.wait(_PAUSE)

    def _issue(self) -> None:
        began = time.monotonic()
        request = {"subject": "demo", "scope": "whoami:read"}
        answer = _answered("POST /token", self._deployment.post_token(request))
        if answer.status != 200:
            self._issuer_down_since = self._issuer_down_since or began
            self._refuse(f"POST /token answered {answer.status}")
        else:
            if self._issuer_down_since is not None:
                self.tally.seconds_without_issuer += time.monotonic() - self._issuer_down_since
                self._issuer_down_since = None
            text = answer.body["access_token"]
            claims = jwt.decode(text, options={"verify_signature": False})
            token = Token(text, jwt.get_unverified_header(text)["kid"], claims["exp"])
            with self._lock:
                self._held.append(token)
                self.tally.issued[self._phase()] += 1
                self.tally.kids.add(token.kid)
        self._stop.wait(_PAUSE)

    def _try_all(self) -> None:
        with self._lock:
            self._held = [token for token in self._held if token.exp > time.time()]
            held = list(self._held)
        if not held:
            self._stop.wait(_PAUSE)
        for token in held:
            if self._stop.is_set():
                return
            if time.time() + self._last_took < token.exp:  # a later answer would prove nothing
                self._try(token)

    def _try(self, token: Token) -> None:
        sent = time.time()
        status = _answered("GET /whoami", self._deployment.get("/whoami", token.text)).status
        arrived = time.time()
        self._last_took = arrived - sent
        revocation = self.tally.revocation
        with self._lock:
            if revocation and token.kid == revocation.kid:
                if arrived < token.exp:
                    revocation.note(sent=sent, status=status)
                if status != 200:  # once refused is enough: a 401 costs MiniStack its warm worker
                    self._held = [held for held in self._held if held != token]
            elif status == 200:
                self.tally.accepted[self._phase()] += 1
                if revocation and sent > revocation.commanded:
                    revocation.others_accepted[token.kid] += 1
            elif arrived < token.exp:  # whatever arrives later may be an honest "expired"
                self._refused(f"GET /whoami answered {status}")

    def _refuse(self, what: str) -> None:
        with self._lock:
            self._refused(what)

    def _refused(self, what: str) -> None:
        self.tally.refused.append(Refusal(self._phase(), what))


def _answered(call: str, answer: Answer) -> Answer:
    """The answer, if it is the function's own; raises NoReply."""
    if answer.status in _GATEWAY_FAILURES:
        raise NoReply(call, str(answer.status))
    return answer
