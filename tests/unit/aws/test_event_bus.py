"""The event bus: which entries are sent, and what happens if one is rejected."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from keyturn.aws.event_bus import EventBus
from keyturn.aws.faults import AwsFault


def put(count: int, rejected: int = -1) -> list[Any]:
    """Send this many events to a bus that rejects one of them; returns the entries of each call."""
    batches: list[Any] = []

    def put_events(Entries):  # noqa: N803 - boto3's name
        start = sum(map(len, batches))
        batches.append(Entries)
        failed = [start + index == rejected for index in range(len(Entries))]
        answers = [{"ErrorCode": "InternalFailure"} if one else {"EventId": "e"} for one in failed]
        return {"FailedEntryCount": sum(failed), "Entries": answers}

    client: Any = SimpleNamespace(put_events=put_events)
    EventBus(client, "prod").put([("KeyRevoked", {"kid": str(n)}) for n in range(count)])
    return batches


def test_an_event_names_its_stack():
    """A listener can distinguish several stacks."""
    [[entry]] = put(1)
    assert (entry["Source"], entry["DetailType"]) == ("keyturn", "KeyRevoked")
    assert json.loads(entry["Detail"]) == {"stack": "prod", "kid": "0"}


@pytest.mark.parametrize(("count", "batches"), [(23, [10, 10, 3]), (10, [10]), (0, [])])
def test_a_call_has_one_to_ten_entries(count, batches):
    """EventBridge accepts no others."""
    assert [len(batch) for batch in put(count)] == batches


def test_a_rejected_entry_is_a_fault():
    """The call itself succeeds; only its answer says so."""
    with pytest.raises(AwsFault, match="events:PutEvents: InternalFailure"):
        put(12, rejected=11)
