"""DisableKeys: disable revoked keys in KMS, so that nothing more is signed with them.

Verifiers with a cached JWKS may still trust these keys for a while.
"""

from keyturn.aws.faults import AwsFault
from keyturn.aws.stack import Stack
from keyturn.rotation import births
from keyturn.rotation.task import EmergencyInput, Outcome, Step, task


class DisableFailed(Exception):
    """Some keys can still sign; the message names them."""


def run(stack: Stack, event: EmergencyInput) -> Outcome:
    """Outcome `disabled`, only for keys that a fresh read shows as revoked or retired.

    Raises DisableFailed after all keys have been tried.
    """
    disabled, failures = [], []
    for key in stack.keysets.read().keyset.ended:
        if key.kid not in event.kids:
            continue
        try:
            kms_key = stack.kms.disable(key.kms_key_arn)
        except AwsFault as fault:
            failures.append(f"{key.kid}: {fault}")
            continue
        if kms_key is None and births.is_newborn(stack, key.created):
            failures.append(f"{key.kid}: KMS does not know the key yet, reconcile disables it")
        else:
            disabled.append(key.kid)
    if failures:
        raise DisableFailed("; ".join(failures))
    return {"outcome": "disabled", "kids": disabled}


handler = task(Step.DISABLE_KEYS, EmergencyInput, run)
