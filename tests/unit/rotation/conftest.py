"""What the rotation tests share: executions of the real definition, step by step."""

import pytest

from tests.unit.rotation.execution import Execution


@pytest.fixture
def start(stack, clock, cloud):
    """Start an execution, by default a scheduled one; further arguments are members of its input."""
    return lambda mode="scheduled", **event: Execution(
        {"mode": mode, "started_by": "tests", **event}, clock, cloud
    )


@pytest.fixture
def due(booted, clock):
    """A booted stack whose active key is due to be superseded."""
    clock.advance(booted.times.rotation_period + 1)
    return booted
