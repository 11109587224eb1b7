"""The lifecycle of a key, as a table. It alone decides what is allowed; timing.py decides when.

A missing entry is an illegal transition; a terminal state is `{}`. The diagram in the README is
generated from this table.
"""

from collections.abc import Mapping
from enum import StrEnum

from keyturn.keyset.errors import IllegalTransition


class State(StrEnum):
    """The states of a key from its registration to its end."""

    STANDBY = "standby"
    ACTIVE = "active"
    GRACE = "grace"
    RETIRED = "retired"
    REVOKED = "revoked"


class Event(StrEnum):
    """What can happen to a key. `supersede` only happens because another key becomes active."""

    PUBLISH = "publish"
    ACTIVATE = "activate"
    SUPERSEDE = "supersede"
    ROLL_BACK = "roll_back"
    RETIRE = "retire"
    REVOKE = "revoke"


TABLE: Mapping[State, Mapping[Event, State]] = {
    State.STANDBY: {
        Event.PUBLISH: State.STANDBY,
        Event.ACTIVATE: State.ACTIVE,
        Event.REVOKE: State.REVOKED,
    },
    State.ACTIVE: {
        Event.PUBLISH: State.ACTIVE,  # a key activated in an emergency before it was published
        Event.SUPERSEDE: State.GRACE,
        Event.REVOKE: State.REVOKED,
    },
    State.GRACE: {
        Event.PUBLISH: State.GRACE,
        Event.ROLL_BACK: State.ACTIVE,
        Event.RETIRE: State.RETIRED,
        Event.REVOKE: State.REVOKED,
    },
    State.RETIRED: {},
    State.REVOKED: {},
}

ENDED = frozenset(state for state, events in TABLE.items() if not events)


def state_after(kid: str, state: State, event: Event) -> State:
    """The state of `kid` after `event`; raises IllegalTransition where the table has no entry."""
    try:
        return TABLE[state][event]
    except KeyError:
        raise IllegalTransition(kid, state, event) from None
