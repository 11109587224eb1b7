"""A client from outside: it has tokens issued, and shows each one until it expires."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from keyturn.aws.operator.deployment import Deployment
from tools.background import in_background
from tools.demo.client import Token

_PAUSE = 0.4  # seconds between two tokens
_REFUSAL_PAUSE = 3.0  # between two tokens of a refused kid: each 401 costs MiniStack a cold start


@dataclass(frozen=True)
class Refusal:
    """A token that did not open the route before it expired; instants in epoch seconds."""

    kid: str
    sent: float
    arrived: float
    status: int


class Load:
    """Two threads; the figures grow until the block of `running` ends."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._tokens: list[Token] = []
        self._refused_at: dict[str, float] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._down_since: float | None = None
        self._duration = 0.0  # of the last call to the route
        self.issued = self.shown = 0
        self.answers: Counter[str] = Counter()  # by route and status, or the error's name
        self.acceptances: defaultdict[str, list[float]] = defaultdict(list)  # by kid: when sent
        self.refusals: list[Refusal] = []
        self.outages: list[tuple[float, float]] = []  # of the issuer, in epoch seconds

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run for as long as the block lasts."""
        works = (partial(self._attempt, work) for work in (self._issue, self._show_all))
        with in_background(self._stop, *works):
            yield
        self._issuer_answers(time.time())

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # an outage is a result, not the end of the client
            self.answers[f"{work.__name__.strip('_')} {type(error).__name__}"] += 1
            self._stop.wait(_PAUSE)

    def _issue(self) -> None:
        began = time.time()
        self._down_since = self._down_since or began  # until an answer says otherwise
        answer = self._deployment.post_token({"subject": "soak", "scope": "whoami:read"})
        self.answers[f"POST /token {answer.status}"] += 1
        if answer.status == 200:
            self._issuer_answers(began)
            with self._lock:
                self._tokens.append(Token.parse(answer.body["access_token"], began))
            self.issued += 1
        self._stop.wait(_PAUSE)

    def _issuer_answers(self, at: float) -> None:
        if self._down_since is not None and at > self._down_since:
            self.outages.append((self._down_since, at))
        self._down_since = None

    def _show_all(self) -> None:
        with self._lock:
            self._tokens = [token for token in self._tokens if token.exp > time.time()]
            tokens = list(self._tokens)
        if not tokens:
            self._stop.wait(_PAUSE)
        for token in tokens:
            if self._stop.is_set():
                return
            rested = time.time() - self._refused_at.get(token.kid, 0) >= _REFUSAL_PAUSE
            if rested and time.time() + self._duration < token.exp:
                self._show(token)

    def _show(self, token: Token) -> None:
        sent = time.time()
        status = self._deployment.get("/whoami", token.text).status
        arrived = time.time()
        self._duration = arrived - sent
        self.shown += 1
        self.answers[f"GET /whoami {status}"] += 1
        if status == 200:
            self.acceptances[token.kid].append(sent)
        elif arrived < token.exp:  # a later answer may be an honest "expired"
            self.refusals.append(Refusal(token.kid, sent, arrived, status))
        if status in (401, 403):
            self._refused_at[token.kid] = arrived
            with self._lock:
                self._tokens.remove(token)
