"""How many keys and cut-offs one document holds, each counted at its largest.

Cut-offs and keys share the room. A cut-off may only take what a rotation and the next revocation leave
(`MIN_LIVE_KEYS`), and a rotation waits for grace keys to retire while cut-offs take the room of its
successor; ended keys are forgotten a little earlier. So nothing that was asked for is ever dropped, and
no key that must be registered finds the document full.
"""

from keyturn.keyset.errors import Refused
from keyturn.keyset.model import Keyset
from keyturn.keyset.timing import Limits

ENVELOPE = 720  # bytes of everything that is neither a key nor a cut-off
SIGNING_KEYS = 454  # an active key and a standby
GRACE_KEY = 317
ENDED_KEY = 189
CUTOFF = 38
CUTOFF_NAMES = 45  # of the claims, once there is a cut-off
MIN_LIVE_KEYS = 4  # active, standby and two in grace


class CutOffsFull(Refused):
    """No more cut-offs fit beside the keys that must be listed."""

    def __init__(self, requested: int, room: int) -> None:
        super().__init__(
            f"{requested} more cut-offs do not fit, there is room for {room}: revoke the signing keys "
            "(`keyturn revoke --all`), block the client, or shorten TokenLifetime so that cut-offs end sooner"
        )


def live_keys(keyset: Keyset, limits: Limits) -> int:
    """How many live keys the document can hold beside the keyset's cut-offs; at most `live_keys`."""
    grace_keys = (_room(keyset, limits) - SIGNING_KEYS) // GRACE_KEY
    return min(2 + grace_keys, limits.live_keys)


def ended_keys(keyset: Keyset, limits: Limits) -> int:
    """How many ended keys it can list beside the live ones and the cut-offs."""
    grace_keys = max(len(keyset.keys) - 2, 0)
    room = _room(keyset, limits) - SIGNING_KEYS - grace_keys * GRACE_KEY
    return max(min(room // ENDED_KEY, limits.listed_keys - len(keyset.keys)), 0)


def check_cutoffs(keyset: Keyset, before: Keyset, limits: Limits) -> None:
    """Raise CutOffsFull if the keyset's cut-offs leave too little room for keys."""
    added = len(keyset.cutoffs) - len(before.cutoffs)
    missing_standby = 0 if keyset.standby else 1
    needed_keys = max(MIN_LIVE_KEYS, len(keyset.keys) + missing_standby)
    if added > 0 and live_keys(keyset, limits) < needed_keys:
        spare_bytes = _room(before, limits) - SIGNING_KEYS - (needed_keys - 2) * GRACE_KEY
        raise CutOffsFull(added, max(spare_bytes // CUTOFF, 0))


def _room(keyset: Keyset, limits: Limits) -> int:
    names = CUTOFF_NAMES if keyset.cutoffs else 0
    return limits.document_bytes - ENVELOPE - names - len(keyset.cutoffs) * CUTOFF
