"""What a rotation should do now, with the reason for the log and the Choice state."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keyturn.keyset import capacity, timing
from keyturn.keyset.model import Keyset
from keyturn.keyset.timing import Limits, Times


class Reason(StrEnum):
    """Why a rotation is due, or is not."""

    NO_ACTIVE_KEY = "no_active_key"
    OPERATOR_ASKED = "operator_asked"
    ACTIVE_KEY_DUE = "active_key_due"
    ACTIVE_KEY_NOT_DUE = "active_key_not_due"
    SUPERSEDED_ALREADY = "superseded_already"


@dataclass(frozen=True, slots=True)
class Plan:
    """Whether to rotate, why, and which key to supersede (None if there is no active key)."""

    due: bool
    reason: Reason
    supersede: str | None


def plan_rotation(
    keyset: Keyset, now: datetime, times: Times, requested_kid: str | None = None
) -> Plan:
    """A scheduled rotation is due by the key's age; an operator's, while `requested_kid` signs."""
    active = keyset.active
    if requested_kid and not (active and active.kid == requested_kid):
        return Plan(due=False, reason=Reason.SUPERSEDED_ALREADY, supersede=None)
    if active is None:
        return Plan(due=True, reason=Reason.NO_ACTIVE_KEY, supersede=None)
    if requested_kid:
        return Plan(due=True, reason=Reason.OPERATOR_ASKED, supersede=requested_kid)
    if active.activated is not None and now < timing.due_at(active.activated, times):
        return Plan(due=False, reason=Reason.ACTIVE_KEY_NOT_DUE, supersede=None)
    return Plan(due=True, reason=Reason.ACTIVE_KEY_DUE, supersede=active.kid)


class TakeoverReason(StrEnum):
    """What a standby waits for before it supersedes the active key."""

    PUBLICATION = "publication"
    JWKS_FULL = "jwks_full"


@dataclass(frozen=True, slots=True)
class Takeover:
    """The time strictly after which a standby may take over, and what it waits for."""

    after: datetime
    reason: TakeoverReason


def takeover(keyset: Keyset, published: datetime, times: Times, limits: Limits) -> Takeover:
    """When a standby that was `published` at this time may take over.

    After that the JWKS contains it, its successor and one more grace key. If these are too many
    keys, or do not fit into the document beside the cut-offs, it waits until enough grace keys may
    retire.
    """
    publication = Takeover(timing.may_sign_after(published, times), TakeoverReason.PUBLICATION)
    grace_ends = sorted(key.verify_until for key in keyset.grace if key.verify_until)
    live_keys = len(grace_ends) + 3  # with the superseded, the active and the standby key
    excess = live_keys - capacity.live_keys(keyset, limits)
    if excess <= 0:
        return publication
    room = timing.retire_after(grace_ends[excess - 1], times)
    return Takeover(max(publication.after, room), TakeoverReason.JWKS_FULL)
