"""What the interpreter does with the definition in simulated runs, to compare with other engines."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from tests.cloud.contract.scenes import SCENES
from tests.cloud.interpreter import ExecutionFailed, Interpreter, Task, TaskFailed, Wait
from tests.definition import STATES, value_at
from tests.simulation import executions
from tests.simulation.patches import simulated

SUCCEEDED, FAILED, ABORTED = "SUCCEEDED", "FAILED", "ABORTED"
DEFAULT = "Default"
Branch = tuple[str, str]  # a Choice, and one of its outcomes


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt of a Task: the input of its Lambda, and the result."""

    task: Task  # the same object at each attempt
    outcome: Mapping[str, Any] | None
    failure: TaskFailed | None


@dataclass(slots=True)
class Trace:
    """One execution, or one redrive, which begins at the state where the execution ended."""

    name: str
    event: Mapping[str, Any]
    entered: list[str]
    calls: list[Call] = field(default_factory=list)
    branches: set[Branch] = field(default_factory=set)
    status: str = ABORTED  # unless it ends differently
    output: Mapping[str, Any] | None = None

    @property
    def path(self) -> object:
        """What distinguishes it from others: its states and errors."""
        errors = ((c.task.state, c.failure.error) for c in self.calls if c.failure)
        return tuple(self.entered), tuple(errors), self.status


class _Recorder(Interpreter):
    """An interpreter that records its Trace."""

    scene: str
    into: list[Trace]

    def run(self) -> Generator[Task | Wait, Mapping[str, Any] | None, None]:
        """See Interpreter."""
        trace = Trace(f"{self.scene} {len(self.into) + 1}", self.data, self.visited)
        self.into.append(trace)
        run = super().run()
        step = next(run, None)
        try:
            while step:
                step = yield from _passed_on(run, step, trace)
                self._note_branches(trace)
        except ExecutionFailed:
            trace.status = FAILED
            raise
        trace.status, trace.output = SUCCEEDED, self.data

    def _note_branches(self, trace: Trace) -> None:
        """Record the Choices since the last step; the data has not changed since then."""
        for name in reversed(self.visited[:-1]):
            state = STATES[name]
            if state["Type"] != "Choice":
                break
            value = value_at(self.data, state["Choices"][0]["Variable"])
            known = {rule["StringEquals"] for rule in state["Choices"]}
            trace.branches.add((name, value if value in known else DEFAULT))


def _passed_on(run: Any, step: Task | Wait, trace: Trace) -> Any:
    """Yield the step, record its result, and return the next one; None at the end."""
    outcome, failure = None, None
    try:
        outcome = yield step
    except TaskFailed as error:
        failure = error
    if isinstance(step, Task):
        trace.calls.append(Call(step, outcome, failure))
    try:
        return run.throw(failure) if failure else run.send(outcome)
    except StopIteration:
        return None


@contextmanager
def _recording(scene: str) -> Iterator[list[Trace]]:
    """Record every execution of the simulated run in the block, in the order of their starts."""
    _Recorder.scene, _Recorder.into = scene, []
    with simulated(), patch.object(executions, "Interpreter", _Recorder):
        yield _Recorder.into


def every_trace() -> list[Trace]:
    """The traces of all scenes, each path once."""
    by_path: dict[object, Trace] = {}
    for name, play in SCENES.items():
        with _recording(name) as traces:
            play()
        for trace in traces:
            by_path.setdefault(trace.path, trace)
    return list(by_path.values())


def every_branch() -> set[Branch]:
    """Each rule of each Choice, and its default."""
    choices = {name: state for name, state in STATES.items() if state["Type"] == "Choice"}
    return {
        (name, outcome)
        for name, state in choices.items()
        for outcome in [DEFAULT, *(rule["StringEquals"] for rule in state["Choices"])]
    }
