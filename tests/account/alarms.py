"""The state of a CloudWatch alarm by its latest data points.

Source: CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data".
"""

from collections.abc import Mapping, Sequence
from typing import Any

Point = float | None  # None: missing
_COMPARE = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}


def state(alarm: Mapping[str, Any], points: Sequence[Point]) -> str:
    """OK, ALARM or INSUFFICIENT_DATA, by the latest `EvaluationPeriods` points, the newest last."""
    treatment, threshold = alarm["TreatMissingData"], float(alarm["Threshold"])
    needed = int(alarm["EvaluationPeriods"])
    compare = _COMPARE[alarm["ComparisonOperator"]]
    latest = list(points)[-needed:]
    known = [compare(point, threshold) for point in latest if point is not None]
    if treatment == "missing":
        return "INSUFFICIENT_DATA" if not known else "ALARM" if all(known) else "OK"
    missing = [treatment == "breaching"] * (needed - len(known))
    return "ALARM" if all(known + missing) else "OK"


def actions_of(alarm: Mapping[str, Any], before: str, after: str) -> list[str]:
    """Which actions a change of state has; a new alarm is in INSUFFICIENT_DATA, without any."""
    members = {"ALARM": "AlarmActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
    if before == after or after not in members:
        return []
    actions: list[str] = alarm.get(members[after], [])
    return actions
