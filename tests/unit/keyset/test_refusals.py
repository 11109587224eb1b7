"""Which transitions each state allows: the others are refused, or change nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from keyturn.keyset.errors import AnotherKeyIsActive, IllegalTransition, UnknownKid
from keyturn.keyset.model import Keyset
from keyturn.keyset.states import Event
from tests.unit.keyset.steps import (
    ACTIVE,
    FULL,
    GRACE,
    NOW,
    STANDBY,
    A,
    G,
    N,
    R,
    S,
    V,
    activate,
    keyset,
    publish,
    register,
    retire,
    revoke,
    roll_back,
)

Attempt = Callable[[str, Keyset], Keyset]
ATTEMPTS: dict[str, Attempt] = {
    "register": lambda kid, keys: register(keys, kid, NOW),
    Event.PUBLISH: lambda kid, keys: publish(keys, [kid], NOW),
    Event.ACTIVATE: lambda kid, keys: activate(keys, kid, NOW, supersede=A),
    Event.SUPERSEDE: lambda kid, keys: activate(keys, S, NOW, supersede=kid),
    Event.ROLL_BACK: lambda kid, keys: roll_back(keys, kid, NOW, supersede=A),
    Event.RETIRE: lambda kid, keys: retire(keys, kid, NOW),
    Event.REVOKE: lambda kid, keys: revoke(keys, [kid], NOW),
}


@pytest.mark.parametrize(
    ("event", "kid", "state"),
    [
        (Event.ACTIVATE, G, "grace"),
        (Event.ROLL_BACK, S, "standby"),
        (Event.RETIRE, S, "standby"),
        (Event.RETIRE, A, "active"),
        (Event.RETIRE, V, "revoked"),
        *((event, R, "retired") for event in ("register", Event.ACTIVATE, Event.ROLL_BACK)),
        *((event, V, "revoked") for event in ("register", Event.ACTIVATE, Event.ROLL_BACK)),
    ],
)
def test_a_key_takes_only_the_transitions_of_its_state(event, kid, state):
    """Any other is refused, even if it is also too early; the error names key, state and event."""
    young = keyset(ACTIVE, STANDBY, replace(GRACE, published=NOW))
    with pytest.raises(IllegalTransition) as refused:
        ATTEMPTS[event](kid, young)
    assert str(refused.value) == f"key {kid} is {state}: {event} is not possible in this state"


@pytest.mark.parametrize(
    ("event", "kid"),
    [(Event.PUBLISH, R), (Event.PUBLISH, V), (Event.REVOKE, R), (Event.REVOKE, V), (Event.RETIRE, R)],
)  # fmt: skip
def test_an_ended_key_is_ignored(event, kid):
    """Publishing or revoking it changes nothing, and neither does retiring it again."""
    assert ATTEMPTS[event](kid, FULL) == FULL


@pytest.mark.parametrize("kid", [R, V], ids=["retired", "revoked"])
def test_an_ended_key_cannot_be_superseded(kid):
    """It is not active, so the caller meant another key."""
    with pytest.raises(AnotherKeyIsActive, match=kid):
        ATTEMPTS[Event.SUPERSEDE](kid, FULL)


@pytest.mark.parametrize("event", [Event.ACTIVATE, Event.ROLL_BACK, Event.RETIRE])
def test_an_unknown_kid_is_refused(event):
    """A kid that the keyset has forgotten or never had is refused by name."""
    with pytest.raises(UnknownKid, match=N):
        ATTEMPTS[event](N, FULL)
