"""DestroyKey: disable the retired key in KMS and schedule its deletion."""

from keyturn.aws.stack import Stack
from keyturn.keyset.model import EndedKey
from keyturn.rotation.task import Outcome, Step, SupersedingInput, task


def run(stack: Stack, event: SupersedingInput) -> Outcome:
    """Outcome `destroyed`, only if a fresh read shows the key as retired or revoked.

    Otherwise `overtaken`.
    """
    key = stack.keysets.read().keyset.get(event.plan.supersede)
    if not isinstance(key, EndedKey):
        return {"outcome": "overtaken", "reason": f"key {key.kid} is {key.state}"}

    stack.kms.destroy(key.kms_key_arn, window=stack.settings.deletion_window)
    return {"outcome": "destroyed", "kid": key.kid}


handler = task(Step.DESTROY_KEY, SupersedingInput, run)
