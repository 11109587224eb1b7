"""What the run cost, by the prices of `keyturn cost` and what the run counted. An estimate, rounded up."""

import math
from collections.abc import Mapping

from keyturn.cli.cost.costs import PRICES, CostLine

_HOURS = 730  # in a month, as AWS counts them
_KEYS, _ALARMS, _METRICS = 8, 11, 20
_TRANSITIONS = 150  # of all runs
_SECONDS = 0.2  # billed per call, cold starts included
_LOG = 2_000  # bytes per call, Lambda's own lines included


def bill(figures: Mapping[str, float], hours: float) -> list[CostLine]:
    """Lines in dollars, for `hours` begun and the tokens and calls of `figures`."""
    share = math.ceil(hours) / _HOURS
    tokens, calls = figures.get("tokens", 0), figures.get("calls", 0)
    return [
        CostLine("KMS keys", _KEYS * share, "keys", PRICES["kms_key_month"]),
        CostLine("KMS requests", tokens / 1e4, "10,000", PRICES["kms_10k_requests"]),
        CostLine(
            "Lambda calls", (tokens + 2 * calls) / 1e6, "million", PRICES["lambda_1m_requests"]
        ),
        CostLine(
            "Lambda time",
            (tokens + 2 * calls) * _SECONDS / 2,
            "GB seconds",
            PRICES["lambda_gb_second"],
        ),
        CostLine("API calls", (tokens + calls) / 1e6, "million", PRICES["api_rest_1m_requests"]),
        CostLine("Logs", (tokens + 2 * calls) * _LOG / 1e9, "GB", PRICES["logs_gb"]),
        CostLine("Metrics", _METRICS * share, "metrics", PRICES["metric_month"]),
        CostLine("Alarms", _ALARMS * share, "alarms", PRICES["alarm_month"]),
        CostLine("Dashboard", share, "dashboard", PRICES["dashboard_month"]),
        CostLine("State transitions", _TRANSITIONS / 1e3, "1,000", PRICES["states_1k_transitions"]),
    ]
