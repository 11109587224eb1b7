"""ConcludeEmergency: the last state names every step that did not do its work."""

import json
from typing import Any

import pytest

from keyturn.aws.keyset.reader import KeysetMissing
from keyturn.rotation.conclude_emergency import ConclusionInput, EmergencyIncomplete, run

COMPLETE = {
    "revocation": {"outcome": "revoked", "unknown": []},
    "disabling": {"outcome": "disabled"},
    "publication": {"outcome": "published"},
    "replacement": {"outcome": "replaced"},
    "republication": {"outcome": "published"},
    "flush": {"outcome": "flushed"},
}


def conclude(**results):
    """Conclude an emergency of which all steps succeeded but these."""
    plan = {"op_id": "op-1", "reason": "test"}
    state = {"started_by": "tests", "plan": plan, "kids": ["A" * 43], **COMPLETE, **results}
    no_stack: Any = None  # it reads nothing but its input
    return run(no_stack, ConclusionInput.model_validate(state))


def test_a_complete_emergency_succeeds():
    """Every step has the outcome it is expected to have."""
    assert conclude() == {"outcome": "concluded"}


@pytest.mark.parametrize("step", COMPLETE)
@pytest.mark.parametrize(
    ("result", "problem"),
    [
        ({"outcome": "overtaken"}, "overtaken"),
        ({"Error": "E"}, "E"),
        ({"Error": "E", "Cause": '{"errorMessage": "run it again"}'}, "E: run it again"),
        ({"Error": "States.Timeout", "Cause": "x"}, "States.Timeout"),
        ({"Error": "E", "Cause": "[]"}, "E"),
    ],
)
def test_an_incomplete_step_is_named(step, result, problem):
    """A step that failed or was refused fails the execution, so that the alarm fires."""
    with pytest.raises(EmergencyIncomplete, match=rf"^{step} failed: {problem}$"):
        conclude(**{step: result})


def test_a_missing_keyset_names_its_remedy(stack):
    """The execution's cause is all that an operator sees of the error."""
    with pytest.raises(KeysetMissing) as missing:
        stack.keysets.read()
    cause = {"Error": "KeysetMissing", "Cause": json.dumps({"errorMessage": str(missing.value)})}
    with pytest.raises(EmergencyIncomplete, match=r"^revocation failed: .*`keyturn repair`"):
        conclude(revocation=cause)
