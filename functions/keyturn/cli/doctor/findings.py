"""What a check reports."""

from dataclasses import dataclass
from enum import StrEnum

BY_FIX = "`keyturn doctor --fix`"


class Severity(StrEnum):
    """How soon the operator should act."""

    CRITICAL = "critical"  # good tokens are refused or none is issued, or will be shortly
    ERROR = "error"  # a promise does not hold at the moment
    WARNING = "warning"  # nothing is lost yet


class Fix(StrEnum):
    """What `doctor --fix` does about it."""

    RECONCILE = "reconcile"
    ENABLE_SCHEDULE = "enable_schedule"


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem: a stable name, a sentence, and the remedy."""

    code: str
    severity: Severity
    problem: str
    remedy: str
    fix: Fix | None = None
    subject: str | None = None  # the kid, ARN or name it is about
