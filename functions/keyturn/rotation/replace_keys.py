"""ReplaceKeys: after a revocation there is again a key that signs and one that stands by."""

from keyturn.aws.stack import Stack
from keyturn.rotation.create_key import ensure_active, ensure_standby
from keyturn.rotation.task import EmergencyInput, Outcome, Step, task


def run(stack: Stack, event: EmergencyInput) -> Outcome:
    """Outcome `replaced`, with both kids.

    Where both are missing both are created first: KMS may take minutes to know a key, and the second
    takes them beside the first.
    """
    keyset = stack.keysets.read().keyset
    second = None if keyset.active or keyset.standby else stack.kms.create()
    active = ensure_active(stack, event.origin)
    standby = ensure_standby(stack, event.origin, created=second)
    return {"outcome": "replaced", "active": active, "standby": standby["kid"]}


handler = task(Step.REPLACE_KEYS, EmergencyInput, run)
