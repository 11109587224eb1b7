"""What the rotation tests ask of a stack, and what they hand to a step."""

from keyturn.aws.stack import Stack
from keyturn.keyset.model import Generation
from tests.cloud.account import Account
from tests.unit.stage import truth


def at_rest(stack: Stack, cloud: Account, *, orphans: int = 0) -> Generation:
    """Insist on the final state of everything (L1, S4, S10); returns the generation."""
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


def planned(cloud: Account, *, op_id="op-1", kid=None, **plan):
    """The execution's data as a step in the middle finds them, by default for the standby."""
    keyset = truth(cloud)
    supersede = keyset.active.kid if keyset.active else None
    kid = kid or (keyset.standby.kid if keyset.standby else "k" * 43)
    return {
        "mode": "scheduled",
        "started_by": "tests",
        "plan": {"op_id": op_id, "reason": "trying", "supersede": supersede, **plan},
        "standby": {"outcome": "exists", "kid": kid},
    }
