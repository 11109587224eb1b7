"""Whether the live keys are the stack's alone: whoever may change a key's policy can open it to others."""

from keyturn.aws.kms_keys import ForeignKey
from keyturn.aws.stack import Stack
from keyturn.keyset.model import Origin


def check_live_keys(stack: Stack, _origin: Origin) -> None:
    """Insist that each live key is as this stack makes them; raises ForeignKey, with all that are not."""
    foreign = []
    for key in stack.keysets.read().keyset.keys:
        if kms_key := stack.kms.find(key.kms_key_arn):
            try:
                stack.kms.check_own(kms_key)
            except ForeignKey:
                foreign.append(key.kms_key_arn)
    if foreign:
        raise ForeignKey(*foreign)
