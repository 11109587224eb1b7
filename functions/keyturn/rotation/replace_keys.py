"""ReplaceKeys: after a revocation there is again a key that signs and one that stands by."""

from keyturn.aws.stack import Stack
from keyturn.rotation.create_key import ensure_active, ensure_standby
from keyturn.rotation.task import EmergencyInput, Outcome, task


def run(stack: Stack, event: EmergencyInput) -> Outcome:
    """Outcome `replaced`, with both kids."""
    active = ensure_active(stack, event.origin)
    standby = ensure_standby(stack, event.origin)
    return {"outcome": "replaced", "active": active, "standby": standby["kid"]}


handler = task(EmergencyInput, run)
