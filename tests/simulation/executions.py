"""Executions of statemachine/rotation.asl.json in virtual time, with the troubles they can meet."""

from collections.abc import Mapping
from typing import Any

from tests.cloud.interpreter import ExecutionFailed, Interpreter, Task, TaskFailed, Wait
from tests.definition import module_of
from tests.simulation.machines import Container
from tests.simulation.scheduler import Crashed, Process
from tests.simulation.watch.broken import insist
from tests.simulation.world import EPOCH, World
from tests.template import RESOURCES

TROUBLES_OF_A_TASK = (
    "invoked_twice_at_once",
    "invoked_again_later",
    "not_invoked",  # Lambda.ServiceException, and nothing ran
    "reply_lost",  # Lambda.ServiceException, and everything ran
    "retries_exhausted",
    "retries_exhausted_redriven",
    "aborted_before",
    "aborted",
    "aborted_redriven_after_a_minute",
    "aborted_redriven_after_13_days",
)
TROUBLES_OF_A_WAIT = (
    "ends_early",
    "ends_just_early",
    "ends_late",
    "aborted",
    "aborted_redriven_after_a_minute",
    "aborted_redriven_after_13_days",
    "deployed_shorter_tokens",
    "deployed_longer_tokens",
)
_OWN_TIMEOUTS = {"CreateKey", "ReplaceKeys"}  # the others have ω
_REDRIVES = {"minute": 60.0, "days": 13 * 86_400.0, "redriven": 60.0}


class Execution:
    """One execution; `ended` is its last state, `failure` why it has none.

    The plan's troubles are for the run's own executions: one that is not `troubled` meets none.
    """

    def __init__(self, world: World, event: Mapping[str, Any], *, troubled: bool = True) -> None:
        self._world = world
        self._troubled = troubled
        self.mode = str(event.get("mode"))
        self.ended: str | None = None
        self.failure: str | None = None
        self.interpreter = Interpreter(event)
        self.process = self._begin()
        world.executions.append(self)

    @property
    def over(self) -> bool:
        """Whether it has stopped; a redrive may still continue it."""
        return self.process.over

    def _begin(self) -> Process:
        return self._world.scheduler.spawn(self._drive, self._world.container("execution"))

    def _drive(self) -> None:
        run = self.interpreter.run()
        outcome: Mapping[str, Any] | None = None
        failure: TaskFailed | None = None
        while True:
            try:
                step = run.throw(failure) if failure else run.send(outcome)
            except StopIteration:
                self.ended = self.interpreter.visited[-1]
                return
            except ExecutionFailed as failed:
                self.failure = str(failed)
                return
            outcome, failure = None, None
            try:
                if isinstance(step, Wait):
                    self._wait(step)
                else:
                    outcome = self._task(step)
            except TaskFailed as error:
                failure = error

    def _wait(self, wait: Wait) -> None:
        is_state = wait.state.startswith("Wait")  # else a retrier's pause
        trouble = self._trouble("wait", wait.state) if is_state else ""
        now = self._world.now()
        until = now + (wait.seconds or 0)
        if wait.until:
            until = (wait.until - EPOCH).total_seconds() - self._world.ahead("StepFunctions")
        match trouble:
            case "ends_early":
                until = now
            case "ends_just_early":
                until -= 1.5 + self._world.times.clock_skew
            case "ends_late":
                until += 2 * (until - now) + 60
            case "deployed_shorter_tokens":
                self._world.deploy(token_lifetime=max(1, self._world.times.token_lifetime // 2))
            case "deployed_longer_tokens":
                self._world.deploy(token_lifetime=self._world.times.token_lifetime * 2)
            case str() if trouble:
                self._abort(trouble)
        self._world.scheduler.pause(max(0.0, until - now))

    def _task(self, task: Task) -> Mapping[str, Any]:
        if self._world.plan.throttles_invocations(task.state, self._world.now()):
            raise TaskFailed("Lambda.TooManyRequestsException")
        trouble = self._trouble("task", task.state)
        match trouble:
            case "not_invoked":
                raise TaskFailed("Lambda.ServiceException")
            case "aborted_before" | "retries_exhausted" | "retries_exhausted_redriven":
                self._abort(trouble)
        process = self._invoke(task)
        match trouble:
            case "invoked_twice_at_once":
                self._invoke(task)
            case "invoked_again_later":
                later = self._world.now() + 2.5 * self._world.times.rotation_period
                self._world.scheduler.at(later, lambda: self._invoke(task))
            case str() if trouble.startswith("aborted"):
                self._abort(trouble)
        if not self._world.scheduler.join(process, task.patience):
            raise TaskFailed("States.Timeout")
        if trouble == "reply_lost":
            raise TaskFailed("Lambda.ServiceException")
        return self._outcome(task, process)

    def _outcome(self, task: Task, process: Process) -> Mapping[str, Any]:
        if isinstance(process.error, Crashed):
            raise TaskFailed("Runtime.ExitError")
        if process.error:
            raise TaskFailed(type(process.error).__name__, str(process.error))
        outcome: Mapping[str, Any] = process.answer
        self._world.promised(task, outcome)
        return outcome

    def _invoke(self, task: Task) -> Process:
        container = self._world.container(task.state, troubled=self._troubled)
        timeout = _timeout(task.step, self._world.times.write_delay)
        process = self._world.call(module_of(task.step), task.data, container, timeout)
        if task.step == "RevokeKeys":
            process.waiters.append(lambda: self._check_revocation(container))
        return process

    def _trouble(self, kind: str, state: str) -> str:
        if not self._troubled:
            return ""
        return self._world.plan.at_state(kind, state, self._world.now())

    def _abort(self, trouble: str) -> None:
        """Stop here; what was invoked runs on. A redrive begins at this state with the same data."""
        after = next((s for part, s in _REDRIVES.items() if trouble.endswith(part)), None)
        interpreter = self.interpreter
        if after is not None:
            self._world.scheduler.at(self._world.now() + after, lambda: self._redrive(interpreter))
        self.failure = f"{interpreter.state}: {trouble}"
        raise Crashed

    def _redrive(self, interpreter: Interpreter) -> None:
        self.failure = None
        self.interpreter = Interpreter(interpreter.data, start=interpreter.state)
        self.process = self._begin()

    def _check_revocation(self, container: Container) -> None:
        """L2: a revocation writes the keyset and nothing else, once more for each who was faster."""
        others = set(container.writes) - {"ssm:PutParameter"}
        insist(not others, "L2", f"{others} came before the revocation")
        landed = len(self._world.truth.landed) - container.began
        planted = len(self._world.ssm.planted)  # whoever took a name was faster, too
        most = max(1, landed) + len(self._world.plan.met) + planted
        insist(len(container.writes) <= most, "L2", f"{len(container.writes)} attempts to revoke")


def _timeout(step: str, write_delay: float) -> float:
    """Seconds after which Lambda ends a step, as template.yaml has it."""
    if step not in _OWN_TIMEOUTS:
        return write_delay
    return float(RESOURCES[f"{step}Function"]["Properties"]["Timeout"])
