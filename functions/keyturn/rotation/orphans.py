"""KMS keys of this stack that no keyset lists, or ever will.

A key is registered by the very run that created it, within `Limits.registration_age` of its birth, and not once
the horizon is past its birth. So what is older, or behind the horizon, has ended or never lived.
A key that is not as this stack makes them (aws/kms_keys.py) is another's, whatever tag it bears.
"""

from keyturn.aws.faults import KeyUnusable
from keyturn.aws.kms_keys import KmsKey
from keyturn.aws.stack import Stack
from keyturn.aws.well_known import Projection
from keyturn.keyset import timing
from keyturn.keyset.model import Keyset

_MIN_SWEEP = 2


def find_orphans(stack: Stack) -> list[str]:
    """The ARNs of those that cannot be registered any more, and that no verifier can trust.

    All that are behind the horizon, for their end is certain; of the others two, or a quarter of
    them, so that a mistake is noticed before it is complete.
    """
    keyset, projection = stack.keysets.read().keyset, stack.well_known.read()
    if projection is None:
        return []
    oldest = stack.clock.now() - stack.limits.orphan_age
    unclaimed = _unclaimed_keys(stack, keyset)
    behind_horizon = [key for key in unclaimed if _is_behind_horizon(keyset, key)]
    expired = [key for key in unclaimed if key.created < oldest and key not in behind_horizon]
    return [
        *(key.arn for key in behind_horizon if not _is_trusted(stack, key, projection)),
        *[key.arn for key in expired if not _is_trusted(stack, key, projection)][
            : max(_MIN_SWEEP, len(expired) // 4)
        ],
    ]


def _unclaimed_keys(stack: Stack, keyset: Keyset) -> list[KmsKey]:
    listed = {key.kms_key_arn for key in keyset.all_keys}
    return [key for key in stack.kms.list_own(excluding=listed) if not key.pending_deletion]


def _is_behind_horizon(keyset: Keyset, key: KmsKey) -> bool:
    return keyset.is_behind_horizon(timing.whole_second(key.created))


def _is_trusted(stack: Stack, key: KmsKey, projection: Projection) -> bool:
    """Whether the JWKS shows the key; one that KMS does not know everywhere yet may be shown."""
    if not key.enabled:
        return False
    try:
        return stack.kms.public_jwk(key.arn).kid in projection.keys
    except KeyUnusable:
        return True
