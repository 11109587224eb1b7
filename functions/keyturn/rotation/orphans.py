"""KMS keys of this stack that no keyset lists or ever will list.

A key is registered by the run that created it, within `Limits.registration_age` of its creation,
and never after the horizon has passed that. So a key that is older, or behind the horizon, has
ended or was never registered. A key that differs from those this stack creates (aws/keyset/kms_keys.py) is
foreign, whatever its tags say.
"""

from keyturn.aws.faults import KeyUnusable
from keyturn.aws.keyset.kms_keys import KmsKey
from keyturn.aws.keyset.well_known import Projection
from keyturn.aws.stack import Stack
from keyturn.keyset import diagnosis, timing
from keyturn.keyset.model import Keyset

_MIN_SWEEP = 2


def find_orphans(stack: Stack) -> list[str]:
    """The ARNs of keys that can no longer be registered and that no verifier can trust.

    Lists all keys behind the horizon, which have certainly ended. Of the others it lists only two
    or a quarter, whichever is more, so that a mistake is noticed before all keys are gone.
    """
    keyset, projection = stack.keysets.read().keyset, stack.well_known.read()
    if projection is None:
        return []
    orphans = [key for key in _unclaimed_keys(stack, keyset) if _is_orphan(stack, keyset, key)]
    behind_horizon = [key for key in orphans if _is_behind_horizon(keyset, key)]
    expired = [key for key in orphans if key not in behind_horizon]
    return [
        *(key.arn for key in behind_horizon if not _is_trusted(stack, key, projection)),
        *[key.arn for key in expired if not _is_trusted(stack, key, projection)][
            : max(_MIN_SWEEP, len(expired) // 4)
        ],
    ]


def _unclaimed_keys(stack: Stack, keyset: Keyset) -> list[KmsKey]:
    listed = {key.kms_key_arn for key in keyset.all_keys}
    return [key for key in stack.kms.list_own(excluding=listed) if not key.pending_deletion]


def _is_orphan(stack: Stack, keyset: Keyset, key: KmsKey) -> bool:
    return diagnosis.is_unregistrable(keyset, key.created, stack.clock.now(), stack.limits)


def _is_behind_horizon(keyset: Keyset, key: KmsKey) -> bool:
    return keyset.is_behind_horizon(timing.whole_second(key.created))


def _is_trusted(stack: Stack, key: KmsKey, projection: Projection) -> bool:
    """Whether the JWKS may contain the key; True if KMS cannot return its public key."""
    if not key.enabled:
        return False
    try:
        return stack.kms.public_jwk(key.arn).kid in projection.keys
    except KeyUnusable:
        return True
