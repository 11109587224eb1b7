"""What the rotation tests share: executions of the real definition, step by step."""

from datetime import datetime

import pytest

from tests.definition import DEFINITION, STATES, chosen, module_of, step_of, value_at, with_result


class Execution:
    """An execution of statemachine/rotation.asl.json on the real handlers and the tests' clock."""

    def __init__(self, event, invoke, clock, world) -> None:
        self.state, self.data = DEFINITION["StartAt"], event
        self.visited: list[str] = []
        self.outcomes: list[tuple[str, str]] = []
        self.naps = 0  # so many waits end at once
        self.twice = False  # every Task is run twice, and the second time must change nothing
        self._invoke, self._clock, self._world = invoke, clock, world

    def step(self) -> None:
        """Go through one state."""
        state = STATES[self.state]
        self.visited.append(self.state)
        getattr(self, f"_{state['Type'].lower()}")(state)

    def until(self, state: str) -> "Execution":
        """Go on until this state is next, or the end."""
        while self.state and self.state != state:
            self.step()
        return self

    def finish(self) -> str:
        """Go on to the end; returns the last state."""
        self.until("")
        return self.visited[-1]

    def _task(self, state) -> None:
        module = module_of(step_of(state))
        name = module.__name__.rpartition(".")[2]
        outcome = self._invoke(module, self.data)
        if self.twice:
            before = self._world()
            self._invoke(module, self.data)
            assert self._world() == before, f"the second {name} changed something"
        self.outcomes.append((name, outcome["outcome"]))
        self.data = with_result(state, self.data, outcome)
        self.state = state["Next"]

    def _pass(self, state) -> None:
        self.data, self.state = with_result(state, self.data, self.data), state["Next"]

    def _choice(self, state) -> None:
        self.state = chosen(state, self.data)

    def _wait(self, state) -> None:
        until = datetime.fromisoformat(value_at(self.data, state["TimestampPath"]))
        if self.naps:
            self.naps -= 1
        elif until > self._clock.now():
            self._clock.advance((until - self._clock.now()).total_seconds())
        self.state = state["Next"]

    def _succeed(self, _state) -> None:
        self.state = None


@pytest.fixture
def execution(stack, invoke, clock, world):
    """Start an execution; what a test adds to the input is given by name."""

    def execution(**event) -> Execution:
        return Execution(
            {"mode": "scheduled", "started_by": "tests", **event}, invoke, clock, world
        )

    return execution


@pytest.fixture
def due(booted, clock):
    """A booted stack whose active key is due to be superseded."""
    clock.advance(booted.times.rotation_period + 1)
    return booted


@pytest.fixture
def at_rest(stack, backdoor):
    """Insist on the final state of everything (L1, S4, S10); returns the generation."""

    def at_rest(*, orphans: int = 0):
        generation, seen = stack.keysets.read(), stack.well_known.read()
        keyset = generation.keyset
        assert keyset.active
        assert keyset.standby
        assert keyset.standby.published
        assert not keyset.grace
        assert seen.generation == generation.number
        assert set(seen.keys) == {keyset.active.kid, keyset.standby.kid}
        states = {
            arn: backdoor.kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"]
            for arn in (key["KeyArn"] for key in backdoor.kms.list_keys()["Keys"])
        }
        assert {states[key.kms_key_arn] for key in keyset.keys} == {"Enabled"}
        assert {states[key.kms_key_arn] for key in keyset.ended} <= {"PendingDeletion"}
        assert len(states) == len(keyset.all_keys) + orphans
        return generation

    return at_rest


@pytest.fixture
def planned(truth):
    """The execution's data as a step in the middle finds them, by default for the standby."""

    def planned(*, op_id="op-1", kid=None, **plan):
        keyset = truth()
        supersede = keyset.active.kid if keyset.active else None
        kid = kid or (keyset.standby.kid if keyset.standby else "k" * 43)
        return {
            "mode": "scheduled",
            "started_by": "tests",
            "plan": {"op_id": op_id, "reason": "trying", "supersede": supersede, **plan},
            "standby": {"outcome": "exists", "kid": kid},
        }

    return planned


@pytest.fixture
def change(stack, origin):
    """Make a transition as somebody else would, between two steps of a test."""
    others = origin.__class__("op-other", "somebody", "else")

    def change(transition, *args, **kwargs):
        return stack.keysets.update(
            lambda keyset, now: transition(keyset, *args, now, **kwargs), others
        )

    return change
