"""The last state says what an emergency did not do, whether it failed or was refused."""

import json

import pytest

from keyturn.keyset.errors import DocumentInvalid
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


def test_an_unreadable_keyset_names_its_remedy(booted, backdoor):
    """The execution's cause is all that an operator sees of it."""
    name = "/keyturn/demo/keyset/000000000003"
    backdoor.ssm.put_parameter(Name=name, Value="{", Type="String")
    with pytest.raises(DocumentInvalid) as caught:
        booted.keysets.read()
    failed = {"Error": "DocumentInvalid", "Cause": json.dumps({"errorMessage": str(caught.value)})}
    with pytest.raises(EmergencyIncomplete, match=r"^revocation failed: .*`keyturn repair`"):
        concluded(revocation=failed)
