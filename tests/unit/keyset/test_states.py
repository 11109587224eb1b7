"""The table of states, compared with one written by hand."""

from itertools import product

import pytest

from keyturn.keyset.errors import IllegalTransition
from keyturn.keyset.states import ENDED, Event, State, state_after

KID = "k" * 43

EXPECTED = """
          publish  activate  supersede  roll_back  retire   revoke
standby   standby  active    -          -          -        revoked
active    active   -         grace      -          -        revoked
grace     grace    -         -          active     retired  revoked
retired   -        -         -          -          -        -
revoked   -        -         -          -          -        -
"""


def _expected() -> dict[tuple[str, str], str]:
    events, *rows = (line.split() for line in EXPECTED.strip().splitlines())
    return {
        (state, event): target
        for state, *targets in rows
        for event, target in zip(events, targets, strict=True)
    }


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_an_event_leads_to_the_expected_state(state, event):
    """An event without an entry is refused; the error names the key, its state and the event."""
    target = _expected()[state, event]
    if target == "-":
        with pytest.raises(IllegalTransition) as refused:
            state_after(KID, state, event)
        assert str(refused.value) == f"key {KID} is {state}: {event} is not possible in this state"
    else:
        assert state_after(KID, state, event) == target


def test_retired_and_revoked_have_ended():
    """The ended states are exactly those that no event leaves."""
    assert {State.RETIRED, State.REVOKED} == ENDED
