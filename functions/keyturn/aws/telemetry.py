"""Decisions and measurements: one line of JSON each on standard output, which CloudWatch reads.

Nothing here imports Powertools: a cold start of the authorizer would pay for it. What goes in here
never holds a token. The service is the stack (POWERTOOLS_SERVICE_NAME), so that stacks beside each
other can be told apart.
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
    """What the authorizer made of a token: the `message` of its line."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class Metric(StrEnum):
    """What is measured now and then (docs/signals.md), in seconds or as a count."""

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
    """Write one metric at once; only Lambda's standard output is read for metrics.

    `properties` stand in the same line, and are no dimensions: CloudWatch bills none of them.
    The line is CloudWatch's embedded metric format (CloudWatch User Guide, "Specification: Embedded
    metric format").
    """
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    metric = {"Name": name, "Unit": "Count" if name in _COUNTS else "Seconds"}
    directive = {"Namespace": NAMESPACE, "Dimensions": [["service"]], "Metrics": [metric]}
    metadata = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    write_line({"_aws": metadata, "service": SERVICE, name: value, **properties})


def log_decision(decision: Decision, *, code: str, key_state: str, **fields: object) -> None:
    """One line per token. The metric filter `Decisions` (template.yaml) counts it, by three members."""
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
    """One write: on Lambda each is a system call, and `print` makes two."""
    sys.stdout.write(_encode(members) + "\n")
