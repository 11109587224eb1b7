"""Virtual time: processes that run until they pause, and a seeded choice of who goes next."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any

from greenlet import getcurrent, greenlet

from tests.simulation.watch.broken import Broken

_MANY = 1_000  # processes, from which on those that have ended are dropped


class Crashed(BaseException):
    """The machine is gone in mid-instruction; no handler of the product can catch this."""


class Process:
    """Something that runs by turns, in its owner: a Lambda invocation, an execution, a caller."""

    def __init__(self, run: Callable[[], object], owner: Any, hub: greenlet) -> None:
        self._run = run
        self.owner = owner
        self._greenlet = greenlet(self._body, parent=hub)
        self.ticket = 0
        self.waiters: list[Callable[[], None]] = []
        self.answer: Any = None
        self.error: BaseException | None = None

    @property
    def over(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self._greenlet.dead

    def go_on(self) -> None:
        """Run until the next pause."""
        self._greenlet.switch()

    def crash(self) -> None:
        """End it where it stands."""
        self._greenlet.throw(Crashed)

    def _body(self) -> None:
        try:
            self.answer = self._run()
        except (AssertionError, Broken):
            raise  # ends the whole run
        except (Exception, Crashed) as error:
            self.error = error
        for wake in self.waiters:
            wake()


class Scheduler:
    """The one clock of a run, in seconds from its beginning, and the order of events."""

    def __init__(self, choose: Random | None = None) -> None:
        self.now = 0.0
        self.current: Process | None = None
        self._choose = choose
        self._hub = getcurrent()
        self._queue: list[tuple[float, float, int, Callable[[], object], Callable[[], bool]]] = []
        self._numbers = count()
        self._processes: list[Process] = []

    def at(
        self,
        instant: float,
        act: Callable[[], object],
        *,
        unless: Callable[[], bool] = lambda: False,
    ) -> None:
        """Do this then, `unless` it has become needless; the seed orders what is due together."""
        among = self._choose.random() if self._choose else 0.0
        heappush(self._queue, (max(instant, self.now), among, next(self._numbers), act, unless))

    def spawn(self, run: Callable[[], object], owner: Any) -> Process:
        """A new process, from now on."""
        process = Process(run, owner, self._hub)
        if len(self._processes) > _MANY:
            self._processes = [other for other in self._processes if not other.over]
        self._processes.append(process)
        self._go_on_at(self.now, process, self._ticket(process))
        return process

    def pause(self, seconds: float = 0.0) -> None:
        """Let the others go on; called by the process that runs."""
        me = self._me()
        self._go_on_at(self.now + seconds, me, self._ticket(me))
        self._hub.switch()

    def join(self, process: Process, patience: float | None = None) -> bool:
        """Wait until it ends, or for `patience` seconds; returns whether it has ended."""
        if not process.over:
            me = self._me()
            ticket = self._ticket(me)
            process.waiters.append(lambda: self._go_on_at(self.now, me, ticket))
            if patience is not None:
                self._go_on_at(self.now + patience, me, ticket)
            self._hub.switch()
        return process.over

    def crash(self, process: Process) -> None:
        """End another process, or this one, where it stands."""
        if process is self.current:
            raise Crashed
        self.at(self.now, lambda: self._enter(process, process.crash), unless=lambda: process.over)

    def run(self, until: float = float("inf")) -> None:
        """Let everything happen that is due by `until`."""
        while self._queue and self._queue[0][0] <= until:
            due, _, _, act, needless = heappop(self._queue)
            if not needless():
                self.now = due
                act()
        if until != float("inf"):
            self.now = max(self.now, until)

    def close(self) -> None:
        """End every process that remains."""
        for process in self._processes:
            if not process.over:
                process.waiters.clear()
                self._enter(process, process.crash)

    def _me(self) -> Process:
        assert self.current, "only a process can wait"
        return self.current

    def _ticket(self, process: Process) -> int:
        process.ticket += 1
        return process.ticket

    def _go_on_at(self, instant: float, process: Process, ticket: int) -> None:
        """Wake it from the pause that has this ticket; what comes second to wake it is late."""

        def turn() -> None:
            process.ticket += 1
            self._enter(process, process.go_on)

        self.at(instant, turn, unless=lambda: process.over or process.ticket != ticket)

    def _enter(self, process: Process, act: Callable[[], None]) -> None:
        self.current = process
        try:
            act()
        finally:
            self.current = None
