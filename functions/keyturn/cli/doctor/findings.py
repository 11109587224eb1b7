"""What a check reports."""

from dataclasses import dataclass
from enum import StrEnum

BY_FIX = "`keyturn doctor --fix`"


class Severity(StrEnum):
    """How soon the operator should act."""

    CRITICAL = "critical"  # valid tokens are refused or none can be issued, now or shortly
    ERROR = "error"  # a guarantee does not hold at the moment
    WARNING = "warning"  # nothing is lost yet


class Fix(StrEnum):
    """What `doctor --fix` does about a problem."""

    RECONCILE = "reconcile"
    ENABLE_SCHEDULE = "enable_schedule"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem: a stable name, a sentence, and the remedy."""

    code: str
    severity: Severity
    problem: str
    remedy: str
    fix: Fix | None = None
    subject: str | None = None  # the kid, ARN or name that it is about
