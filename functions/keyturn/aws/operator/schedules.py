"""The stack's schedules in EventBridge Scheduler."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keyturn.aws.faults import NotFound, translate_errors

if TYPE_CHECKING:
    from types_boto3_scheduler import EventBridgeSchedulerClient


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule; `expression` is None if there is no schedule with this name."""

    name: str
    enabled: bool
    expression: str | None


class Schedules:
    """Read schedules, and enable them again."""

    def __init__(self, scheduler: "EventBridgeSchedulerClient") -> None:
        self._scheduler = scheduler

    def read(self, names: Iterable[str]) -> list[Schedule]:
        """Each of these schedules; raises AwsFault."""
        return [self._read(name) for name in names]

    def enable(self, name: str) -> None:
        """Enable the schedule; everything else about it stays the same. Raises AwsFault."""
        with translate_errors("scheduler:GetSchedule"):
            schedule = self._scheduler.get_schedule(Name=name)
        definition: Any = {
            field: schedule[field]
            for field in (
                "Name",
                "Description",
                "ScheduleExpression",
                "FlexibleTimeWindow",
                "Target",
            )
            if field in schedule
        }
        with translate_errors("scheduler:UpdateSchedule"):
            self._scheduler.update_schedule(**definition, State="ENABLED")

    def _read(self, name: str) -> Schedule:
        try:
            with translate_errors("scheduler:GetSchedule"):
                schedule = self._scheduler.get_schedule(Name=name)
        except NotFound:
            return Schedule(name, enabled=False, expression=None)
        return Schedule(name, schedule["State"] == "ENABLED", schedule["ScheduleExpression"])
