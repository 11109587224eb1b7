"""Events about keys and tokens, sent to EventBridge (docs/signals.md)."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from keyturn.aws.faults import AwsFault, translate_errors

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE = "keyturn"
_MAX_ENTRIES = 10


class EventBus:
    """The account's default bus; each event names the stack it comes from."""

    def __init__(self, events: "EventBridgeClient", stack: str) -> None:
        self._events = events
        self._stack = stack

    def put(self, events: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Send these events, each a detail type and its detail; raises AwsFault if one is rejected.

        The caller then sends all of them again, so listeners must tolerate duplicates.
        """
        entries: list[PutEventsRequestEntryTypeDef] = [
            {
                "Source": SOURCE,
                "DetailType": detail_type,
                "Detail": json.dumps({"stack": self._stack, **detail}, separators=(",", ":")),
            }
            for detail_type, detail in events
        ]
        for start in range(0, len(entries), _MAX_ENTRIES):
            with translate_errors("events:PutEvents"):
                answer = self._events.put_events(Entries=entries[start : start + _MAX_ENTRIES])
            if answer["FailedEntryCount"]:
                failure = next(entry for entry in answer["Entries"] if "ErrorCode" in entry)
                raise AwsFault("events:PutEvents", failure["ErrorCode"])
