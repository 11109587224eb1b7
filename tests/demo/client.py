"""A client that never rests: it issues tokens and tries every unexpired one it holds."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import jwt

from keyturn.aws.deployment import Deployment

_PAUSE = 0.4  # seconds between two tokens: 15-second tokens keep some 35 of them alive


@dataclass(frozen=True)
class Refusal:
    """A valid token that was not let in, or a token that could not be had."""

    phase: str
    what: str


@dataclass
class Tally:
    """What happened, by phase."""

    issued: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    refused: list[Refusal] = field(default_factory=list)
    kids: set[str] = field(default_factory=set)


class BackgroundClient:
    """Threads that issue and call `/whoami` until stopped; `phase()` says what is going on."""

    def __init__(self, deployment: Deployment, phase: Callable[[], str]) -> None:
        self._deployment = deployment
        self._phase = phase
        self._held: dict[str, float] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
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
            except Exception as error:  # an outage is a finding, not the end of the client
                self._refuse(f"{work.__name__}: {type(error).__name__}: {error}")
                self._stop.wait(_PAUSE)

    def _issue(self) -> None:
        answer = self._deployment.post_token({"subject": "demo", "scope": "whoami:read"})
        if answer.status != 200:
            self._refuse(f"POST /token answered {answer.status}")
        else:
            token = answer.body["access_token"]
            claims = jwt.decode(token, options={"verify_signature": False})
            with self._lock:
                self._held[token] = claims["exp"]
                self.tally.issued[self._phase()] += 1
                self.tally.kids.add(jwt.get_unverified_header(token)["kid"])
        self._stop.wait(_PAUSE)

    def _try_all(self) -> None:
        now = time.time()
        with self._lock:
            self._held = {token: exp for token, exp in self._held.items() if exp > now}
            held = list(self._held.items())
        if not held:
            self._stop.wait(_PAUSE)
        for token, exp in held:
            if self._stop.is_set():
                return
            if time.time() < exp:
                self._try(token, exp)

    def _try(self, token: str, exp: float) -> None:
        answer = self._deployment.get("/whoami", token)
        if answer.status == 200:
            with self._lock:
                self.tally.accepted[self._phase()] += 1
        elif time.time() < exp:  # whatever arrives later may be an honest "expired"
            self._refuse(f"GET /whoami answered {answer.status}")

    def _refuse(self, what: str) -> None:
        with self._lock:
            self.tally.refused.append(Refusal(self._phase(), what))
