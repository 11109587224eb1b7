"""How many keys and cut-offs one document holds, each counted at its largest size.

Keys and cut-offs share the room. Cut-offs may only take what a rotation and the next revocation do
not need (`MIN_LIVE_KEYS`). While cut-offs take the room for one more key, a rotation waits for
grace keys to retire, and ended keys are forgotten a little earlier. So no requested cut-off is ever
dropped, and there is always room to register a key.
"""

from datetime import datetime

from keyturn.keyset.errors import Refused
from keyturn.keyset.model import Keyset
from keyturn.keyset.timing import Limits

ENVELOPE = 720  # bytes of everything that is neither a key nor a cut-off
SIGNING_KEYS = 454  # an active key and a standby
GRACE_KEY = 317
ENDED_KEY = 189
CUTOFF = 38
CUTOFF_NAMES = 45  # for the names of the claims, once there is a cut-off
MIN_LIVE_KEYS = 4  # active, standby and two in grace
LITTLE_ROOM = 5  # cut-offs; the alarm and doctor report less room than this


class CutOffsFull(Refused):
    """No more cut-offs fit beside the keys that must be listed."""

    def __init__(self, requested: int, room: int) -> None:
        super().__init__(
            f"{requested} more cut-offs do not fit; there is room for {room}: revoke the signing keys "
            "(`keyturn revoke --all`), block the client, or shorten TokenLifetime so that cut-offs expire sooner"
        )


def live_keys(keyset: Keyset, limits: Limits) -> int:
    """How many live keys fit beside the keyset's cut-offs; at most `limits.live_keys`."""
    grace_keys = (_room(keyset, limits) - SIGNING_KEYS) // GRACE_KEY
    return min(2 + grace_keys, limits.live_keys)


def ended_keys(keyset: Keyset, limits: Limits) -> int:
    """How many ended keys fit beside the live keys and the cut-offs."""
    grace_keys = max(len(keyset.keys) - 2, 0)
    room = _room(keyset, limits) - SIGNING_KEYS - grace_keys * GRACE_KEY
    return max(min(room // ENDED_KEY, limits.listed_keys - len(keyset.keys)), 0)


def cutoff_room(keyset: Keyset, limits: Limits) -> int:
    """How many more cut-offs fit beside the keys that must be listed."""
    return max(_spare_cutoffs(keyset, limits), 0)


def ample_room_at(keyset: Keyset, limits: Limits) -> datetime | None:
    """When enough cut-offs will have ended for LITTLE_ROOM more to fit.

    None if there is enough room now, or if blocks, which do not end, take too much of it.
    """
    shortage = LITTLE_ROOM - _spare_cutoffs(keyset, limits)
    ends = sorted(cutoff.until for cutoff in keyset.cutoffs if cutoff.until)
    return ends[shortage - 1] if 0 < shortage <= len(ends) else None


def check_cutoffs(keyset: Keyset, before: Keyset, limits: Limits) -> None:
    """Raise CutOffsFull if the keyset's cut-offs leave too little room for keys."""
    added, room = len(keyset.cutoffs) - len(before.cutoffs), cutoff_room(before, limits)
    if added > room:
        raise CutOffsFull(added, room)


def _spare_cutoffs(keyset: Keyset, limits: Limits) -> int:
    missing_standby = 0 if keyset.standby else 1
    needed_keys = max(MIN_LIVE_KEYS, len(keyset.keys) + missing_standby)
    names = 0 if keyset.cutoffs else CUTOFF_NAMES
    spare_bytes = _room(keyset, limits) - names - SIGNING_KEYS - (needed_keys - 2) * GRACE_KEY
    return spare_bytes // CUTOFF


def _room(keyset: Keyset, limits: Limits) -> int:
    names = CUTOFF_NAMES if keyset.cutoffs else 0
    return limits.document_bytes - ENVELOPE - names - len(keyset.cutoffs) * CUTOFF
