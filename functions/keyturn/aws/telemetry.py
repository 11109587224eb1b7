"""Logs, metrics and traces by Powertools. What goes in here never holds a token.

The service is the stack (POWERTOOLS_SERVICE_NAME), so that stacks beside each other can be told apart.
"""

import os
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:
    from aws_lambda_powertools import Tracer

_Handler = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]

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


_COUNTED = {
    Metric.STANDBY_KEYS,
    Metric.AUTHORIZER_FAULTS,
    Metric.SIGN_THROTTLED,
    Metric.DISABLED_KEY_USED,
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


def decided(message: str, *, code: str, key_state: str, **told: object) -> None:
    """One line that is log and metric at once (CloudWatch embedded metric format)."""
    metrics.add_dimension("code", code)
    metrics.add_dimension("key_state", key_state)
    for name, value in {"message": message, **told}.items():
        metrics.add_metadata(name, value)
    metrics.add_metric("Authorizations", "Count", 1)
    metrics.flush_metrics()


def traced(handler: _Handler) -> _Handler:
    """A handler that is traced when X-Ray samples the call: its SDK takes longest to import."""

    @cache
    def with_tracer() -> _Handler:
        captured: _Handler = _tracer().capture_lambda_handler(handler, capture_response=False)
        return captured

    @wraps(handler)
    def traced_if_sampled(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        sampled = "Sampled=1" in os.environ.get("_X_AMZN_TRACE_ID", "")
        return (with_tracer() if sampled else handler)(event, context)

    return traced_if_sampled


@cache
def _tracer() -> "Tracer":
    from aws_lambda_powertools import Tracer

    return Tracer(service=SERVICE)
