"""An interpreter of the whole definition, with its Retry intervals, as Step Functions runs it.

It has no clock and makes no calls: it yields the next Task or Wait and is sent its result.
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.definition import DEFINITION, STATES, chosen, step_of, value_at, with_result

_ANY = "States.ALL"


@dataclass(frozen=True, slots=True)
class Task:
    """Call a step's Lambda for at most `patience` seconds; send its outcome or throw TaskFailed."""

    state: str
    step: str  # ActivateKey, of ${ActivateKeyFunctionArn}
    data: Mapping[str, Any]
    patience: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Continue at an instant, or after so many seconds."""

    state: str
    until: datetime | None = None
    seconds: float | None = None


class TaskFailed(Exception):
    """A Task ended with this error name."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause


class ExecutionFailed(Exception):
    """The execution ended at a Task; a redrive begins there, with the same data."""

    def __init__(self, state: str, data: Mapping[str, Any], failure: TaskFailed) -> None:
        super().__init__(f"{state}: {failure}")
        self.state, self.data, self.failure = state, data, failure


class Interpreter:
    """One execution; `visited` has the names of its states so far."""

    def __init__(self, data: Mapping[str, Any], *, start: str = "") -> None:
        self.data = dict(data)
        self.state = start or DEFINITION["StartAt"]
        self.visited: list[str] = []

    def run(self) -> Generator[Task | Wait, Mapping[str, Any] | None, None]:
        """Yield each Task and Wait until a Succeed state; raises ExecutionFailed."""
        while True:
            state = STATES[self.state]
            self.visited.append(self.state)
            match state["Type"]:
                case "Task":
                    yield from self._task(state)
                case "Pass":  # AWS: the input is the result, unless the state has one of its own
                    self.data = with_result(state, self.data, self.data)
                    self.state = state["Next"]
                case "Choice":
                    self.state = chosen(state, self.data)
                case "Wait":
                    yield self._wait(state)
                    self.state = state["Next"]
                case "Succeed":
                    return
                case other:
                    raise NotImplementedError(other)

    def _task(
        self, state: Mapping[str, Any]
    ) -> Generator[Task | Wait, Mapping[str, Any] | None, None]:
        task = Task(self.state, step_of(state), self.data, state["TimeoutSeconds"])
        tries = [0] * len(state["Retry"])
        while True:
            try:
                outcome = yield task
                break
            except TaskFailed as failure:
                number = next(self._matching(state["Retry"], failure.error), None)
                if number is not None and tries[number] < state["Retry"][number]["MaxAttempts"]:
                    retrier = state["Retry"][number]
                    yield Wait(self.state, seconds=pause(retrier, tries[number]))
                    tries[number] += 1
                    continue
                caught = next(self._matching(state.get("Catch", ()), failure.error), None)
                if caught is None:
                    raise ExecutionFailed(self.state, self.data, failure) from None
                state = state["Catch"][caught]
                outcome = {"Error": failure.error, "Cause": failure.cause}
                break
        self.data = with_result(state, self.data, outcome)
        self.state = state["Next"]

    def _matching(self, rules: Any, error: str) -> Iterator[int]:
        for number, rule in enumerate(rules):
            names = rule["ErrorEquals"]
            if _ANY in names or error in names:
                yield number

    def _wait(self, state: Mapping[str, Any]) -> Wait:
        if "TimestampPath" in state:
            until = datetime.fromisoformat(value_at(self.data, state["TimestampPath"]))
            return Wait(self.state, until=until)
        return Wait(self.state, seconds=value_at(self.data, state["SecondsPath"]))


def pause(retrier: Mapping[str, Any], tried: int) -> float:
    """Seconds before the next attempt, after `tried` retries; the definition has no jitter."""
    assert "JitterStrategy" not in retrier
    interval = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** tried
    return float(min(interval, retrier.get("MaxDelaySeconds", interval)))


def patience(retrier: Mapping[str, Any]) -> float:
    """Seconds from the first attempt to the last, if each fails at once."""
    return sum(pause(retrier, tried) for tried in range(retrier["MaxAttempts"]))
