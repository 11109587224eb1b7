"""Executions of the real definition on the real handlers, a Task or a Wait at a time."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from tests.cloud.account import Account
from tests.cloud.interpreter import ExecutionFailed, Interpreter, Task, TaskFailed, Wait
from tests.definition import module_of
from tests.unit.stage import FakeClock, invoke


class Execution:
    """One execution; `next` is the Task or Wait that it goes through next, None after the end."""

    def __init__(self, event: Mapping[str, Any], clock: FakeClock, cloud: Account) -> None:
        self.outcomes: list[tuple[str, str]] = []
        self.short_waits = 0  # so many Waits end at once
        self.twice = False  # every Task is run twice, and the second time must change nothing
        self.error: Exception | None = None  # why it failed
        self._clock, self._cloud = clock, cloud
        self._interpreter = Interpreter(event)
        self._run = self._interpreter.run()
        self.next: Task | Wait | None = next(self._run)

    @property
    def state(self) -> str | None:
        """The name of the next state."""
        return self.next.state if self.next else None

    @property
    def data(self) -> dict[str, Any]:
        """Its input, with the results of its steps."""
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

    def step(self) -> None:
        """Go through one Task, or let the time of one Wait pass."""
        assert self.next
        assert len(self.visited) < 200, "it goes round in circles"
        if isinstance(self.next, Task):
            self._run_task(self.next)
            return
        if self.short_waits:
            self.short_waits -= 1
        else:
            now = self._clock.now()
            end = self.next.until or now + timedelta(seconds=self.next.seconds or 0)
            self._clock.advance(max(0.0, (end - now).total_seconds()))
        self._resume(lambda: self._run.send(None))

    def until(self, *states: str) -> "Execution":
        """Go on until one of these is next, or to the end."""
        while self.next and self.state not in states:
            self.step()
        return self

    def finish(self) -> str:
        """Go on to the end; returns the last state, or `failed`."""
        self.until()
        assert self.ended
        return self.ended

    def _run_task(self, task: Task) -> None:
        module = module_of(task.step)
        name = module.__name__.rpartition(".")[2]
        try:
            outcome = invoke(module, task.data)
        except AssertionError:
            raise
        except Exception as error:
            self.error = error
            failure = TaskFailed(type(error).__name__, str(error))
            self._resume(lambda: self._run.throw(failure))
            return
        if self.twice:
            before = self._cloud.snapshot()
            invoke(module, task.data)
            assert self._cloud.snapshot() == before, f"the second {name} changed something"
        self.outcomes.append((name, outcome["outcome"]))
        self._resume(lambda: self._run.send(outcome))

    def _resume(self, resume: Callable[[], Task | Wait]) -> None:
        try:
            self.next = resume()
        except StopIteration:
            self.next, self.error = None, None
        except ExecutionFailed:
            self.next = None
