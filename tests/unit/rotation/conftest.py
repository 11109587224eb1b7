"""What the rotation tests share: executions of the real definition, step by step."""

import pytest

from tests.unit.rotation.execution import Execution
from tests.unit.stage import truth


@pytest.fixture
def start(stack, clock, cloud):
    """Start an execution: `start()` is the schedule's own; what a test adds to the input is given by name."""
    return lambda mode="scheduled", **event: Execution(
        {"mode": mode, "started_by": "tests", **event}, clock, cloud
    )


@pytest.fixture
def due(booted, clock):
    """A booted stack whose active key is due to be superseded."""
    clock.advance(booted.times.rotation_period + 1)
    return booted


@pytest.fixture
def at_rest(stack, cloud):
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
        states = {arn: cloud.kms.state(arn) for arn in cloud.kms.keys}
        assert {states[key.kms_key_arn] for key in keyset.keys} == {"Enabled"}
        assert {states[key.kms_key_arn] for key in keyset.ended} <= {"PendingDeletion"}
        assert len(states) == len(keyset.all_keys) + orphans
        return generation

    return at_rest


@pytest.fixture
def planned(cloud):
    """The execution's data as a step in the middle finds them, by default for the standby."""

    def planned(*, op_id="op-1", kid=None, **plan):
        keyset = truth(cloud)
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
