"""The check of the cut-offs: whether there is room for more."""

from collections.abc import Iterator

from keyturn.cli.doctor.findings import Finding, Severity
from keyturn.cli.formatting import count, instant
from keyturn.cli.snapshot import Snapshot
from keyturn.keyset import capacity, token_revocation
from keyturn.keyset.timing import Limits

_LIMITS = Limits()
_RUNBOOK = "docs/runbooks/client-compromise.md"


def check_room(snapshot: Snapshot) -> Iterator[Finding]:
    """There is room to cut off the next client that is compromised."""
    keyset = token_revocation.forget_cutoffs(snapshot.keyset, snapshot.at, _LIMITS)
    room = capacity.cutoff_room(keyset, _LIMITS)
    if not keyset.cutoffs or room >= capacity.LITTLE_ROOM:
        return
    ample_at = capacity.ample_room_at(keyset, _LIMITS)
    release = "`keyturn client release NAME` ends a block that is no longer needed"
    yield Finding(
        "cutoffs_nearly_full",
        Severity.WARNING,
        f"There are {count(len(keyset.cutoffs), 'cut-off')}, and only {room} more fit.",
        f"Wait until {instant(ample_at)}, when enough of them have expired. {_RUNBOOK}"
        if ample_at
        else f"{release}, and frees its room when its last token has expired. {_RUNBOOK}",
    )
