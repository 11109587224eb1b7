"""The event bus: what is told, and what is not taken."""

import json
from typing import Any

import pytest

from keyturn.aws.event_bus import EventBus
from keyturn.aws.faults import AwsFault


class Bus:
    """Takes entries, or refuses the one of this number."""

    def __init__(self, refused: int | None = None) -> None:
        self.batches: list[list[dict]] = []
        self._refused = refused

    def put_events(self, Entries):  # noqa: N803 - boto3's names
        """As EventBridge answers: call by call, entry by entry."""
        number = sum(map(len, self.batches))
        self.batches.append(Entries)
        answers = [
            {"ErrorCode": "InternalFailure"} if number + n == self._refused else {"EventId": "e"}
            for n in range(len(Entries))
        ]
        return {"FailedEntryCount": sum("ErrorCode" in a for a in answers), "Entries": answers}


def test_an_event_names_its_stack():
    """Listeners of several stacks can tell them apart."""
    bus: Any = Bus()
    EventBus(bus, "prod").put([("KeyRevoked", {"kid": "k"})])
    [[entry]] = bus.batches
    assert (entry["Source"], entry["DetailType"]) == ("keyturn", "KeyRevoked")
    assert json.loads(entry["Detail"]) == {"stack": "prod", "kid": "k"}


def test_ten_are_told_at_once():
    """EventBridge takes no more in one call."""
    bus: Any = Bus()
    EventBus(bus, "prod").put([("KeyRevoked", {"kid": str(n)}) for n in range(23)])
    assert [len(batch) for batch in bus.batches] == [10, 10, 3]


def test_nothing_is_told_without_a_call():
    """An empty call would be refused."""
    bus: Any = Bus()
    EventBus(bus, "prod").put([])
    assert bus.batches == []


def test_an_entry_that_is_not_taken_is_a_fault():
    """The call itself succeeds; EventBridge says so only in its answer."""
    bus: Any = Bus(refused=11)
    told = [("KeyRevoked", {"kid": str(n)}) for n in range(12)]
    with pytest.raises(AwsFault, match="events:PutEvents: InternalFailure"):
        EventBus(bus, "prod").put(told)
