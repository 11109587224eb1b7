"""The life of a key, as a table. The only place that decides "may I?"; timing.py decides "is it time?".

A missing entry is the error; a terminal state is visible as `{}`. The diagram in the README is
generated from this table.
"""

from collections.abc import Mapping
from enum import StrEnum

from keyturn.keyset.errors import IllegalTransition


class State(StrEnum):
    """Where a key stands between its registration and its end."""

    STANDBY = "standby"
    ACTIVE = "active"
    GRACE = "grace"
    RETIRED = "retired"
    REVOKED = "revoked"


class Event(StrEnum):
    """What can happen to a key. `supersede` only ever happens as a consequence of another's rise."""

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
