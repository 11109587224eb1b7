"""Logs, metrics and traces by Powertools. What goes in here never holds a token."""

import os
from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics

if TYPE_CHECKING:
    from aws_lambda_powertools import Tracer

    tracer: Tracer

_Handler = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]

logger = Logger(service="keyturn")
metrics = Metrics(namespace="Keyturn", service="keyturn")


def decided(metric: str, message: str, **told: object) -> None:
    """One line that is log and metric at once (CloudWatch embedded metric format)."""
    for name, value in {"message": message, **told}.items():
        metrics.add_metadata(name, value)
    metrics.add_metric(metric, "Count", 1)
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

    return Tracer(service="keyturn")


def __getattr__(name: str) -> Any:
    if name == "tracer":
        return _tracer()
    raise AttributeError(name)
