"""A client's cut-offs beside its keys: what RevokeKeys and reconcile make of a keyset (keyset/token_revocation.py)."""

from datetime import datetime

from keyturn.keyset import timing, token_revocation
from keyturn.keyset.cutoffs import Claim, CutOff, digest_of
from keyturn.keyset.model import Keyset
from keyturn.keyset.timing import Limits, Times

NAMES = ("cut off", "block", "forget cut-offs")
_CLIENT = digest_of("client")


def applied(
    keyset: Keyset, name: str, planned: datetime, now: datetime, times: Times, limits: Limits
) -> Keyset:
    """The keyset after a change of this name; a cut-off's instant follows from when it was planned."""
    if name == "forget cut-offs":
        return token_revocation.forget_cutoffs(keyset, now, limits)
    before, requested = timing.cutoff_before(planned, times), [(Claim.CLIENT, _CLIENT)]
    return token_revocation.cut_off(
        keyset,
        requested,
        now,
        before=before,
        times=times,
        limits=limits,
        block=name == "block",
    )


def entry(keyset: Keyset) -> CutOff | None:
    """The client's cut-off."""
    return keyset.cutoff(Claim.CLIENT, _CLIENT)
