"""Logs, metrics and traces by Powertools. What goes in here never holds a token.

The service is the stack (POWERTOOLS_SERVICE_NAME), so that stacks beside each other can be told apart.
"""

from enum import StrEnum

from aws_lambda_powertools import Logger, Metrics, Tracer, single_metric
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "Keyturn"
logger = Logger()
metrics = Metrics(namespace=NAMESPACE)
tracer = Tracer()


class Metric(StrEnum):
    """What is measured now and then (docs/signals.md); calls of the API count for themselves."""

    SECONDS_SINCE_ACTIVATION = "SecondsSinceActivation"
    ACTIVE_KEY_OVERDUE = "ActiveKeyOverdue"
    STANDBY_KEYS = "StandbyKeys"
    REVOCATION_LATENCY = "RevocationLatency"
    ROTATION_DURATION = "RotationDuration"


def measure(name: Metric, value: float) -> None:
    """Write one metric at once, in seconds, or how many."""
    unit = MetricUnit.Count if name is Metric.STANDBY_KEYS else MetricUnit.Seconds
    with single_metric(
        name, unit, value, namespace=NAMESPACE, default_dimensions={"service": logger.service}
    ):
        pass
