"""A plain interpreter of what statemachine/rotation.asl.json uses of ASL, one state a call.

A failing Task is tried again as its Retry says, each attempt a step of its own; Waits end when the
tests' clock has come there, so that several executions can be interleaved.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from tests.definition import DEFINITION, STATES, chosen, module_of, step_of, value_at, with_result


class Run:
    """One execution; `state` is the next state to go through, None after the end."""

    def __init__(self, event: dict, invoke: Callable, clock) -> None:
        self.state, self.data = DEFINITION["StartAt"], event
        self.visited: list[str] = []
        self.error: Exception | None = None  # what it failed of
        self.wake: datetime | None = None
        self._attempts = 0
        self._invoke, self._clock = invoke, clock

    @property
    def asleep(self) -> bool:
        """Whether nothing can be done before the clock moves on."""
        return self.wake is not None and self._clock.now() < self.wake

    @property
    def ended(self) -> str | None:
        """The state it ended in, or `failed`."""
        if self.error:
            return "failed"
        return None if self.state else self.visited[-1]

    def step(self) -> None:
        """Go through one state; the first step at a Wait only falls asleep."""
        assert not self.ended
        assert len(self.visited) < 200, "it goes round in circles"
        state = STATES[self.state]
        if self.wake is None and self._attempts == 0:
            self.visited.append(self.state)
        getattr(self, f"_{state['Type'].lower()}")(state)

    def until(self, *states: str) -> "Run":
        """Go on alone until one of these is next, or the end."""
        while not self.ended and self.state not in states:
            turns(self, steps=1)
        return self

    def finish(self) -> str:
        """Go on alone to the end; returns the last state, or `failed`."""
        self.until()
        return self.ended

    def _task(self, state: dict) -> None:
        try:
            outcome = self._invoke(module_of(step_of(state)), self.data)
        except AssertionError:
            raise
        except Exception as error:
            self._attempts += 1
            if self._attempts <= _retries(state):
                return
            if "Catch" not in state:
                self.error = error
                return
            [caught] = state["Catch"]
            assert caught["ErrorEquals"] == ["States.ALL"]
            outcome = {"Error": type(error).__name__, "Cause": str(error)}
            state = caught
        self._attempts = 0
        self.data, self.state = with_result(state, self.data, outcome), state["Next"]

    def _pass(self, state: dict) -> None:
        self.data, self.state = with_result(state, self.data, self.data), state["Next"]

    def _choice(self, state: dict) -> None:
        self.state = chosen(state, self.data)

    def _wait(self, state: dict) -> None:
        if self.wake is None and "TimestampPath" in state:
            self.wake = datetime.fromisoformat(value_at(self.data, state["TimestampPath"]))
        elif self.wake is None:
            self.wake = self._clock.now() + timedelta(
                seconds=value_at(self.data, state["SecondsPath"])
            )
        if not self.asleep:
            self.state, self.wake = state["Next"], None

    def _succeed(self, _state: dict) -> None:
        self.state = None


def _retries(state: dict) -> int:
    """How often a Task is tried again after an exception of its handler."""
    return sum(r["MaxAttempts"] for r in state["Retry"] if "States.ALL" in r["ErrorEquals"])


def turns(*runs: Run, steps: float = float("inf"), pick=None, each=lambda: None) -> None:
    """Step by turns (or as `pick` says) until all are over; time passes only when all are asleep."""
    turn = 0
    while steps > 0 and (left := [run for run in runs if not run.ended]):
        able = [run for run in left if not run.asleep]
        if not able:
            clock = left[0]._clock
            clock.advance((min(run.wake for run in left) - clock.now()).total_seconds())
            continue
        (pick(able) if pick else able[turn % len(able)]).step()
        each()
        turn, steps = turn + 1, steps - 1
