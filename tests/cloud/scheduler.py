"""EventBridge Scheduler: schedules by name, each replaced as a whole.

Source: EventBridge Scheduler API Reference, UpdateSchedule.
"""

from collections.abc import Callable
from typing import Any

from tests.cloud.errors import refused
from tests.cloud.wire import Call, Wire


class SchedulerClient:
    """boto3's scheduler, as far as the product calls it; `schedules` has them by name."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.schedules: dict[str, dict[str, Any]] = {}

    def create_schedule(self, Name, **schedule) -> dict[str, Any]:  # noqa: N803 - boto3's name
        """CreateSchedule, which only a template calls."""
        self.schedules[Name] = {"Name": Name, "State": "ENABLED", **schedule}
        return {"ScheduleArn": f"arn:{Name}"}

    def get_schedule(self, Name) -> dict[str, Any]:  # noqa: N803 - boto3's name
        """GetSchedule."""
        return self._carry("GetSchedule", lambda _at: dict(self._there(Name)), Name=Name)

    def update_schedule(
        self,
        Name,  # noqa: N803
        ScheduleExpression,  # noqa: N803
        FlexibleTimeWindow,  # noqa: N803
        Target,  # noqa: N803
        **more,
    ) -> dict[str, Any]:
        """UpdateSchedule: what is not given is reset, and the state to ENABLED."""

        def effect(_at: float) -> dict[str, Any]:
            self._there(Name)
            self.schedules[Name] = {
                "Name": Name,
                "ScheduleExpression": ScheduleExpression,
                "FlexibleTimeWindow": FlexibleTimeWindow,
                "Target": Target,
                "State": "ENABLED",
                **more,
            }
            return {"ScheduleArn": f"arn:{Name}"}

        return self._carry("UpdateSchedule", effect, Name=Name)

    def _there(self, name: str) -> dict[str, Any]:
        if name not in self.schedules:
            raise refused("ResourceNotFoundException", 404)
        return self.schedules[name]

    def _carry(self, name: str, effect: Callable[[float], Any], **arguments: Any) -> Any:
        call = Call(f"scheduler:{name}", effect, retries=True, arguments=arguments)
        return self._wire.carry(call)
