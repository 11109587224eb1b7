"""DestroyKey: disable the retired key in KMS and have it deleted when its window is over."""

from keyturn.aws.stack import Stack
from keyturn.keyset.model import EndedKey
from keyturn.rotation.task import Outcome, Step, SupersedingInput, task


def run(stack: Stack, event: SupersedingInput) -> Outcome:
    """Outcome `destroyed`, only for a key that a fresh read shows as retired or revoked."""
    key = stack.keysets.read().keyset.get(event.plan.supersede)
    if not isinstance(key, EndedKey):
        return {"outcome": "overtaken", "reason": f"key {key.kid} is {key.state}"}

    stack.kms.destroy(key.kms_key_arn, window=stack.settings.deletion_window)
    return {"outcome": "destroyed", "kid": key.kid}


handler = task(Step.DESTROY_KEY, SupersedingInput, run)
