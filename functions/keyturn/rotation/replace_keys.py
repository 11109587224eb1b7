"""ReplaceKeys: after a revocation, ensure that there is an active key and a standby again."""

from keyturn.aws.stack import Stack
from keyturn.rotation.create_key import ensure_active, ensure_standby
from keyturn.rotation.task import EmergencyInput, Outcome, Step, task


def run(stack: Stack, event: EmergencyInput) -> Outcome:
    """Outcome `replaced`, with both kids.

    If both keys are missing, both are created first: KMS may take minutes to know a new key, and so
    the two waits overlap.
    """
    keyset = stack.keysets.read().keyset
    second = None if keyset.active or keyset.standby else stack.kms.create()
    active = ensure_active(stack, event.origin)
    standby = ensure_standby(stack, event.origin, created=second)
    return {"outcome": "replaced", "active": active, "standby": standby["kid"]}


handler = task(Step.REPLACE_KEYS, EmergencyInput, run)
