"""A call on its way through the simulated network, and the plan of what goes wrong in a run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tests.cloud.wire import Call
from tests.simulation.faults import Fault, malformed

if TYPE_CHECKING:
    from tests.simulation.machines import Container
    from tests.simulation.world import World

INVOKE = "lambda:Invoke"
_EFFECTS = {"ssm:PutParameter", "s3:PutObject", "kms:CreateKey", "kms:DisableKey"}


@dataclass(frozen=True, slots=True)
class Outage:
    """For a while every call of these operations meets this fault."""

    operations: str  # a pattern: ssm:*; lambda:Invoke are the invocations of the state machine
    since: float
    until: float
    fault: Fault


@dataclass
class Plan:
    """The fault of each call, the trouble of each state of an execution; and what a run has met."""

    calls: Mapping[int, Fault | None] = field(default_factory=dict)  # by the number of the call
    states: Mapping[int, str] = field(default_factory=dict)  # by the number of the state entered
    outages: tuple[Outage, ...] = ()
    seen_calls: list[tuple[str, str]] = field(default_factory=list)  # label, operation
    seen_states: list[tuple[str, str]] = field(default_factory=list)  # kind, state
    met: list[str] = field(default_factory=list)
    over: bool = False

    def at_call(self, label: str, operation: str, now: float) -> Fault | None:
        """The fault that this call meets."""
        if self.over:
            return None
        number = len(self.seen_calls)
        self.seen_calls.append((label, operation))
        fault = self.calls.get(number)
        for outage in self.outages:
            if outage.since <= now < outage.until and fnmatch(operation, outage.operations):
                fault = fault or outage.fault
        if fault:
            self.met.append(f"{now:.1f} s {label} {operation}: {fault.__name__}")
        return fault

    def throttles_invocations(self, state: str, now: float) -> bool:
        """Whether Lambda has no concurrency left for a Task."""
        is_throttled = not self.over and any(
            outage.operations == INVOKE and outage.since <= now < outage.until
            for outage in self.outages
        )
        if is_throttled:
            self.met.append(f"{now:.1f} s {state} {INVOKE}: throttled")
        return is_throttled

    def at_state(self, kind: str, state: str, now: float) -> str:
        """The trouble that an execution meets as it enters a state."""
        if self.over:
            return ""
        number = len(self.seen_states)
        self.seen_states.append((kind, state))
        trouble = self.states.get(number, "")
        if trouble:
            self.met.append(f"{now:.1f} s {state}: {trouble}")
        return trouble

    def was_cut_short(self, wait: str) -> bool:
        """Whether a Wait of this name ended early: what it is for cannot be promised."""
        return any(f" {wait}: ends_" in met and met.endswith("early") for met in self.met)


class Placed(Plan):
    """A Plan that says by name who meets what: the calls of a step in turns, a state at its first visits."""

    def __init__(
        self,
        outages: tuple[Outage, ...] = (),
        calls: Mapping[tuple[str, str], Sequence[Fault | None]] = MappingProxyType({}),
        states: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ) -> None:
        super().__init__(outages=outages)
        self._placed_calls = calls
        self._placed_states = {state: iter(troubles) for state, troubles in states.items()}
        self._times: Counter[tuple[str, str]] = Counter()

    def at_call(self, label: str, operation: str, now: float) -> Fault | None:
        """See Plan."""
        turns = self._placed_calls.get((label, operation))
        if turns and not self.over:
            self.calls = {len(self.seen_calls): turns[self._times[label, operation] % len(turns)]}
            self._times[label, operation] += 1
        return super().at_call(label, operation, now)

    def at_state(self, kind: str, state: str, now: float) -> str:
        """See Plan."""
        if not self.over and state in self._placed_states:
            self.states = {len(self.seen_states): next(self._placed_states[state], "")}
        return super().at_state(kind, state, now)


class Passage:
    """One call on its way; other processes run before and after its effect."""

    def __init__(self, world: "World", call: Call, container: "Container") -> None:
        self._world, self.call, self._container = world, call, container
        self.longest = world.times.write_delay * 0.9  # seconds that a call may take: ω, nearly
        self._sent = world.now()

    def go(self) -> Any:
        """Send it and return its answer, or raise its error."""
        world, container = self._world, self._container
        fault = None
        if container.troubled:
            fault = world.plan.at_call(container.label, self.call.operation, self._sent)
        try:
            self.pause(self._delay())
            answer = fault(self) if fault else self.effect()
            self.pause(self._delay())
        except Exception:
            container.failed_to_read(self.call.path, world.now())
            raise
        if self.call.path.endswith("/keyset"):
            container.last_read = self._sent
        if fault is malformed:  # a generation that is known already is not read again
            container.failed_to_read(self.call.path, world.now())
        return answer

    def effect(self, *, ago: bool = False) -> Any:
        """Have the effect; `ago`: as far in the past as an eventually consistent read may show."""
        now = self._world.now()
        if self.call.operation == "kms:Sign":
            self._container.signed = now
        if self.call.operation in _EFFECTS:
            self._container.writes.append(self.call.operation)
        return self.call.effect(now - self._world.lag if ago else now)

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self._world.scheduler.pause(seconds)

    def stranger_appends(self) -> None:
        """Another writer appends a generation that changes nothing."""
        self._world.stranger_appends()

    def _delay(self) -> float:
        world = self._world
        if world.hurried or world.choose.random() < 0.7:
            return 0.0
        return world.choose.uniform(0.0, world.times.write_delay / 8)
