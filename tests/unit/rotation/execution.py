"""Executions of the real definition on the real handlers, a Task or a Wait at a time.

A Wait ends when the tests' clock has come there, so that several executions can be interleaved.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.cloud.account import Account
from tests.cloud.interpreter import ExecutionFailed, Interpreter, Task, TaskFailed, Wait
from tests.definition import module_of
from tests.unit.stage import FakeClock, invoke


class Execution:
    """One execution; `next` is the Task or Wait that it goes through next, None after the end."""

    def __init__(self, event: Mapping[str, Any], clock: FakeClock, cloud: Account) -> None:
        self.outcomes: list[tuple[str, str]] = []
        self.naps = 0  # so many waits end at once
        self.twice = False  # every Task is run twice, and the second time must change nothing
        self.error: Exception | None = None  # what it failed of
        self.wake: datetime | None = None
        self._clock, self._cloud = clock, cloud
        self._interpreter = Interpreter(event)
        self._run = self._interpreter.run()
        self.next: Task | Wait | None = next(self._run)

    @property
    def state(self) -> str | None:
        """The name of what is next."""
        return self.next.state if self.next else None

    @property
    def data(self) -> dict[str, Any]:
        """Its input, and what its steps have made of it."""
        return self._interpreter.data

    @property
    def visited(self) -> list[str]:
        """The states it has entered."""
        return self._interpreter.visited

    @property
    def ended(self) -> str | None:
        """The state it ended in, or `failed`."""
        if self.next:
            return None
        return "failed" if self.error else self.visited[-1]

    @property
    def asleep(self) -> bool:
        """Whether nothing can be done before the clock moves on."""
        return self.wake is not None and self._clock.now() < self.wake

    def step(self) -> None:
        """Go through one Task or Wait; the first step at a Wait only falls asleep."""
        assert self.next
        assert len(self.visited) < 200, "it goes round in circles"
        if isinstance(self.next, Task):
            self._task(self.next)
        elif self.wake is None and not self.naps:
            pause = timedelta(seconds=self.next.seconds or 0)
            self.wake = self.next.until or self._clock.now() + pause
        elif not self.asleep:
            self.naps = max(0, self.naps - 1)
            self.wake = None
            self._go_on(lambda: self._run.send(None))

    def until(self, *states: str) -> "Execution":
        """Go on alone until one of these is next, or the end."""
        while self.next and self.state not in states:
            turns(self, steps=1)
        return self

    def finish(self) -> str:
        """Go on alone to the end; returns the last state, or `failed`."""
        self.until()
        assert self.ended
        return self.ended

    def _task(self, task: Task) -> None:
        module = module_of(task.step)
        name = module.__name__.rpartition(".")[2]
        try:
            outcome = invoke(module, task.data)
        except AssertionError:
            raise
        except Exception as error:
            self.error = error
            failed = TaskFailed(type(error).__name__, str(error))
            self._go_on(lambda: self._run.throw(failed))
            return
        if self.twice:
            before = self._cloud.snapshot()
            invoke(module, task.data)
            assert self._cloud.snapshot() == before, f"the second {name} changed something"
        self.outcomes.append((name, outcome["outcome"]))
        self._go_on(lambda: self._run.send(outcome))

    def _go_on(self, resume: Callable[[], Task | Wait]) -> None:
        try:
            self.next = resume()
        except StopIteration:
            self.next, self.error = None, None
        except ExecutionFailed:
            self.next = None


def turns(*runs: Execution, steps: float = float("inf")) -> None:
    """Step by turns until all are over; time passes only when all are asleep."""
    turn = 0
    while steps > 0 and (remaining := [run for run in runs if run.next]):
        able = [run for run in remaining if not run.asleep]
        if not able:
            clock = remaining[0]._clock
            wake = min(run.wake for run in remaining if run.wake)
            clock.advance((wake - clock.now()).total_seconds())
            continue
        able[turn % len(able)].step()
        turn, steps = turn + 1, steps - 1
