"""Optional work with a time limit, after which the essential work continues without it."""

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from keyturn.cli.terminal import CommandFailed

_T = TypeVar("_T")


class Attempt(Generic[_T]):
    """`work`, begun at once in the background and given up `seconds` later."""

    def __init__(self, work: Callable[[], _T], *, seconds: float) -> None:
        self._work = work
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._outcome: SimpleQueue[tuple[_T, None] | tuple[None, Exception]] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()  # never holds up the exit

    def result(self) -> _T:
        """What the work returned; raises what it raised, and Failed when its time is over."""
        try:
            value, error = self._outcome.get(timeout=max(self._deadline - time.monotonic(), 0))
        except Empty:
            raise CommandFailed(f"no answer within {self._seconds:g} s") from None
        if error:
            raise error
        return value  # type: ignore[return-value]  # without an error there is one

    def _run(self) -> None:
        try:
            self._outcome.put((self._work(), None))
        except Exception as error:  # noqa: BLE001 - result() raises it again
            self._outcome.put((None, error))
