"""EventBridge's default bus, which records its events."""

import json
from typing import Any

from tests.cloud.wire import Call, Wire


class Bus:
    """`events` has the events: detail type, kid, generation (None if there is none)."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.events: set[tuple[str, Any, Any]] = set()

    def put_events(self, Entries) -> dict[str, Any]:  # noqa: N803 - boto3's name
        """PutEvents: up to ten entries."""
        assert 0 < len(Entries) <= 10

        def effect(_at: float) -> dict[str, Any]:
            for entry in Entries:
                detail = json.loads(entry["Detail"])
                key = detail.get("kid"), detail.get("generation")
                self.events.add((entry["DetailType"], *key))
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "e"} for _ in Entries]}

        call = Call("events:PutEvents", effect, retries=True, arguments={"Entries": Entries})
        return self._wire.carry(call)
