"""The last state says what an emergency did not do, whether it failed or was refused."""

import json
from typing import Any

import pytest

from keyturn.aws.keyset.reader import KeysetMissing
from keyturn.rotation.conclude_emergency import ConclusionInput, EmergencyIncomplete, run

DONE = {
    "revocation": {"outcome": "revoked", "unknown": []},
    "disabling": {"outcome": "disabled"},
    "publication": {"outcome": "published"},
    "replacement": {"outcome": "replaced"},
    "republication": {"outcome": "published"},
    "flush": {"outcome": "flushed"},
}


def concluded(**left):
    """The conclusion of an emergency whose steps left this."""
    plan = {"op_id": "op-1", "reason": "test"}
    state = {"started_by": "tests", "plan": plan, "kids": ["A" * 43], **DONE, **left}
    no_stack: Any = None  # it decides by what the steps left
    return run(no_stack, ConclusionInput.model_validate(state))


def test_all_is_done():
    """Every step with the outcome it is there for: green."""
    assert concluded() == {"outcome": "concluded"}


@pytest.mark.parametrize("step", DONE)
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"outcome": "overtaken"}, "overtaken"),
        ({"Error": "E"}, "E"),
        ({"Error": "E", "Cause": '{"errorMessage": "run it again"}'}, "E: run it again"),
        ({"Error": "States.Timeout", "Cause": "x"}, "States.Timeout"),
        ({"Error": "E", "Cause": "[]"}, "E"),
    ],
)
def test_a_step_that_did_not_do_its_work_is_named(step, what, said):
    """A refusal is no success: with the world moving, nobody may be signing, so the alarm fires."""
    with pytest.raises(EmergencyIncomplete, match=rf"^{step} failed: {said}$"):
        concluded(**{step: what})


def test_a_missing_keyset_names_its_remedy(booted, cloud):
    """The execution's cause is all that an operator sees of it."""
    cloud.ssm.delete(
        [f"/keyturn/demo/keyset/{number:012d}" for number in booted.keysets.read_texts()]
    )
    with pytest.raises(KeysetMissing) as caught:
        booted.keysets.read()
    failed = {"Error": "KeysetMissing", "Cause": json.dumps({"errorMessage": str(caught.value)})}
    with pytest.raises(EmergencyIncomplete, match=r"^revocation failed: .*`keyturn repair`"):
        concluded(revocation=failed)
