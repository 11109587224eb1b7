"""What a generation changed, by key and by cut-off: the difference between two keysets."""

from dataclasses import dataclass
from enum import StrEnum

from keyturn.keyset.cutoffs import CutOff
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import State


class ChangeKind(StrEnum):
    """What happened to a key, as far as two keysets show it."""

    CREATED = "created"
    PUBLISHED = "published"
    ACTIVATED = "activated"
    SUPERSEDED = "superseded"
    RETIRED = "retired"
    REVOKED = "revoked"


_BY_STATE = {
    State.STANDBY: ChangeKind.CREATED,
    State.ACTIVE: ChangeKind.ACTIVATED,
    State.GRACE: ChangeKind.SUPERSEDED,
    State.RETIRED: ChangeKind.RETIRED,
    State.REVOKED: ChangeKind.REVOKED,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one key."""

    kind: ChangeKind
    kid: str


def changes(before: Keyset, after: Keyset) -> tuple[Change, ...]:
    """What happened between two keysets; forgetting a key is not a change."""
    return tuple(
        Change(kind, key.kid)
        for key in after.all_keys
        for kind in _kinds(before.find(key.kid), key)
    )


def new_cutoffs(before: Keyset, after: Keyset) -> tuple[CutOff, ...]:
    """The cut-offs that were added or changed; the end of a cut-off is not a change."""
    return tuple(
        cutoff for cutoff in after.cutoffs if before.cutoff(cutoff.claim, cutoff.digest) != cutoff
    )


def _kinds(before: Key | EndedKey | None, after: Key | EndedKey) -> tuple[ChangeKind, ...]:
    kinds = () if before and before.state is after.state else (_BY_STATE[after.state],)
    was_published = isinstance(before, Key) and before.published is not None
    is_published = isinstance(after, Key) and after.published is not None
    return (*kinds, ChangeKind.PUBLISHED) if is_published and not was_published else kinds
