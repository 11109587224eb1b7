"""The last state says what an emergency did not do, whether it failed or was refused."""

import pytest

from keyturn.rotation.conclude_emergency import ConcludingInput, EmergencyIncomplete, run

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
    return run(None, ConcludingInput.model_validate(state))


def test_all_is_done():
    """Every step with the outcome it is there for: green."""
    assert concluded() == {"outcome": "concluded"}


@pytest.mark.parametrize("step", DONE)
@pytest.mark.parametrize(
    ("what", "said"), [({"outcome": "overtaken"}, "overtaken"), ({"Error": "E"}, "E")]
)
def test_a_step_that_did_not_do_its_work_is_named(step, what, said):
    """A refusal is no success: with the world moving, nobody may be signing, so the alarm fires."""
    with pytest.raises(EmergencyIncomplete, match=rf"^{step} failed: {said}$"):
        concluded(**{step: what})
