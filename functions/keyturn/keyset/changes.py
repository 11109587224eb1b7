"""What one generation changed, key by key: the difference of two keysets."""

from dataclasses import dataclass
from enum import StrEnum

from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import State


class What(StrEnum):
    """What can be seen to have happened to a key."""

    CREATED = "created"
    PUBLISHED = "published"
    ACTIVATED = "activated"
    SUPERSEDED = "superseded"
    RETIRED = "retired"
    REVOKED = "revoked"


_BY_STATE = {
    State.STANDBY: What.CREATED,
    State.ACTIVE: What.ACTIVATED,
    State.GRACE: What.SUPERSEDED,
    State.RETIRED: What.RETIRED,
    State.REVOKED: What.REVOKED,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one key."""

    what: What
    kid: str


def changes(before: Keyset, after: Keyset) -> tuple[Change, ...]:
    """What happened between two keysets; a key that is only forgotten is no change."""
    return tuple(
        Change(what, key.kid)
        for key in after.known
        for what in _happened(before.find(key.kid), key)
    )


def _happened(old: Key | EndedKey | None, new: Key | EndedKey) -> tuple[What, ...]:
    moved = () if old and old.state is new.state else (_BY_STATE[new.state],)
    was_published = isinstance(old, Key) and old.published is not None
    is_published = isinstance(new, Key) and new.published is not None
    return (*moved, What.PUBLISHED) if is_published and not was_published else moved
