"""What a rotation should do now, with the reason that travels into the log and the Choice state."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keyturn.keyset import timing
from keyturn.keyset.model import Keyset
from keyturn.keyset.timing import Times


class Reason(StrEnum):
    """Why a rotation is, or is not, to be made."""

    NO_ACTIVE_KEY = "no_active_key"
    OPERATOR_ASKED = "operator_asked"
    ACTIVE_KEY_DUE = "active_key_due"
    ACTIVE_KEY_NOT_DUE = "active_key_not_due"
    SUPERSEDED_ALREADY = "superseded_already"


@dataclass(frozen=True, slots=True)
class Plan:
    """Whether to rotate, why, and which key the standby is to supersede (None: nobody signs)."""

    due: bool
    reason: Reason
    supersede: str | None


def plan_rotation(keyset: Keyset, now: datetime, times: Times, asked: str | None = None) -> Plan:
    """A scheduled rotation is due by age; one that an operator `asked` for, while that kid signs."""
    active = keyset.active
    if asked and not (active and active.kid == asked):
        return Plan(due=False, reason=Reason.SUPERSEDED_ALREADY, supersede=None)
    if active is None:
        return Plan(due=True, reason=Reason.NO_ACTIVE_KEY, supersede=None)
    if asked:
        return Plan(due=True, reason=Reason.OPERATOR_ASKED, supersede=asked)
    if active.activated is not None and now < timing.due_at(active.activated, times):
        return Plan(due=False, reason=Reason.ACTIVE_KEY_NOT_DUE, supersede=None)
    return Plan(due=True, reason=Reason.ACTIVE_KEY_DUE, supersede=active.kid)
