"""What happens to the keys, told on EventBridge to whoever listens (docs/signals.md)."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from keyturn.aws.faults import AwsFault, translated

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE = "keyturn"
_MOST_AT_ONCE = 10


class EventBus:
    """The account's default bus; each event names the stack it comes from."""

    def __init__(self, events: "EventBridgeClient", stack: str) -> None:
        self._events = events
        self._stack = stack

    def put(self, told: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Tell these events, each a detail type and its detail; raises AwsFault if one was not taken.

        Then all may be told again: listeners must not mind hearing a thing twice.
        """
        entries: list[PutEventsRequestEntryTypeDef] = [
            {
                "Source": SOURCE,
                "DetailType": kind,
                "Detail": json.dumps({"stack": self._stack, **detail}, separators=(",", ":")),
            }
            for kind, detail in told
        ]
        for start in range(0, len(entries), _MOST_AT_ONCE):
            with translated("events:PutEvents"):
                answer = self._events.put_events(Entries=entries[start : start + _MOST_AT_ONCE])
            if answer["FailedEntryCount"]:
                refused = next(entry for entry in answer["Entries"] if "ErrorCode" in entry)
                raise AwsFault("events:PutEvents", refused["ErrorCode"])
