"""Logs and metrics by Powertools. What goes in here never holds a token.

The service is the stack (POWERTOOLS_SERVICE_NAME), so that stacks beside each other can be told apart.
"""

import os
from enum import StrEnum

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "Keyturn"
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", "keyturn")
logger = Logger(service=SERVICE)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)


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


_COUNTED = {
    Metric.STANDBY_KEYS,
    Metric.AUTHORIZER_FAULTS,
    Metric.SIGN_THROTTLED,
    Metric.DISABLED_KEY_USED,
    Metric.UNLAWFUL_GENERATIONS,
}


def measure(name: Metric, value: float = 1) -> None:
    """Write one metric at once; only Lambda's standard output is read for metrics."""
    if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
        return
    unit = MetricUnit.Count if name in _COUNTED else MetricUnit.Seconds
    with single_metric(
        name, unit, value, namespace=NAMESPACE, default_dimensions={"service": SERVICE}
    ):
        pass


def log_decision(message: str, *, code: str, key_state: str, **told: object) -> None:
    """One line that is log and metric at once (CloudWatch embedded metric format)."""
    metrics.add_dimension("code", code)
    metrics.add_dimension("key_state", key_state)
    for name, value in {"message": message, **told}.items():
        metrics.add_metadata(name, value)
    metrics.add_metric("Authorizations", "Count", 1)
    metrics.flush_metrics()
