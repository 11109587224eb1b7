"""Decisions and metrics: one line of JSON each on standard output, which CloudWatch reads.

Powertools is not imported here, since the authorizer's cold start would pay for it. Nothing that is
logged or measured may contain a token. The service is the stack (POWERTOOLS_SERVICE_NAME), so that
stacks in one account can be distinguished.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from enum import StrEnum

NAMESPACE = "Keyturn"
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", "keyturn")
_encode = json.JSONEncoder(separators=(",", ":")).encode


class Decision(StrEnum):
    """The authorizer's decision about a token: the `message` of its log line."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class Metric(StrEnum):
    """The metrics (docs/signals.md), in seconds or as a count."""

    SECONDS_SINCE_ACTIVATION = "SecondsSinceActivation"
    ACTIVE_KEY_OVERDUE = "ActiveKeyOverdue"
    STANDBY_KEYS = "StandbyKeys"
    REVOCATION_LATENCY = "RevocationLatency"
    ROTATION_DURATION = "RotationDuration"
    VIEW_AGE = "ViewAge"
    AUTHORIZER_FAULTS = "AuthorizerFaults"
    SIGN_THROTTLED = "SignThrottled"
    DISABLED_KEY_USED = "DisabledKeyUsed"
    UNLAWFUL_GENERATIONS = "UnlawfulGenerations"
    UNREADABLE_DOCUMENTS = "UnreadableDocuments"
    FOREIGN_OBJECTS = "ForeignObjects"
    CUT_OFFS = "CutOffs"
    CUT_OFF_ROOM = "CutOffRoom"


_COUNTS = {
    Metric.STANDBY_KEYS,
    Metric.AUTHORIZER_FAULTS,
    Metric.SIGN_THROTTLED,
    Metric.DISABLED_KEY_USED,
    Metric.UNLAWFUL_GENERATIONS,
    Metric.UNREADABLE_DOCUMENTS,
    Metric.FOREIGN_OBJECTS,
    Metric.CUT_OFFS,
    Metric.CUT_OFF_ROOM,
}


def measure(name: Metric, value: float = 1, **properties: str) -> None:
    """Write one metric at once, on Lambda only: elsewhere CloudWatch does not read the output.

    `properties` are members of the same line but not dimensions, so CloudWatch does not bill them.
    The line has CloudWatch's embedded metric format (CloudWatch User Guide, "Specification:
    Embedded metric format").
    """
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    metric = {"Name": name, "Unit": "Count" if name in _COUNTS else "Seconds"}
    directive = {"Namespace": NAMESPACE, "Dimensions": [["service"]], "Metrics": [metric]}
    metadata = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    write_line({"_aws": metadata, "service": SERVICE, name: value, **properties})


def log_decision(decision: Decision, *, code: str, key_state: str, **fields: object) -> None:
    """Log one line per token; the metric filter `Decisions` (template.yaml) counts these lines."""
    write_line(
        {
            "message": decision,
            "code": code,
            "key_state": key_state,
            **fields,
            "service": SERVICE,
        }
    )


def write_line(members: Mapping[str, object]) -> None:
    """Write a line with one system call; `print` would make two."""
    sys.stdout.write(_encode(members) + "\n")
