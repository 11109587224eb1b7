"""The table of states, against one that was written by hand."""

import pytest

from keyturn.keyset.errors import IllegalTransition
from keyturn.keyset.states import ENDED, TABLE, Event, State, state_after

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


def test_the_table_is_the_expected_one():
    """Every pair of state and event leads where the hand-written table says, or nowhere."""
    pairs = {(state, event): TABLE[state].get(event, "-") for state in State for event in Event}
    assert pairs == _expected()


@pytest.mark.parametrize(
    ("state", "event"), [pair for pair, target in _expected().items() if target != "-"]
)
def test_after_follows_the_table(state, event):
    """An entry of the table is the state after the event."""
    assert state_after(KID, State(state), Event(event)) == _expected()[state, event]


@pytest.mark.parametrize(
    ("state", "event"), [pair for pair, target in _expected().items() if target == "-"]
)
def test_a_missing_entry_is_the_error(state, event):
    """An event without an entry is refused, naming the key, its state and the event."""
    with pytest.raises(IllegalTransition) as refused:
        state_after(KID, State(state), Event(event))
    assert str(refused.value) == f"key {KID} is {state}: {event} is not possible in this state"


def test_retired_and_revoked_have_ended():
    """The ended states are exactly those that nothing leaves."""
    assert {State.RETIRED, State.REVOKED} == ENDED
