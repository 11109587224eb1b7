"""A month's bill, line by line: quantity times price."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from keyturn.keyset import timing
from keyturn.keyset.timing import Times

PRICES: Mapping[str, Any] = json.loads(files(__package__).joinpath("prices.json").read_text())
MONTH = 30 * 86_400  # seconds
DAY = 86_400
_MEMORY = 0.5  # GB, as in template.yaml
_ISSUER = 0.03  # seconds billed per token: mostly one call of kms:Sign
_AUTHORIZER = 0.001  # seconds billed per call: Lambda bills whole milliseconds
_RECONCILE, _PUBLISH_APIS = 1.0, 0.3  # seconds per run, each every ten minutes
_START = 0.5  # seconds per cold start: INIT, billed since August 2025, and the first reads
_STARTS = 0.001  # share of calls without a warm container, which read each key from KMS
DECISION_BYTES = 221  # logged per authorization that was accepted (`make bench PART=logs`)
_TOKEN_BYTES = 910  # logged per token: the audit line and its metric
_IDLE_METRICS, _METRICS = (
    3,
    20,
)  # reconcile's, and all but cut-offs'; billed in hours that have data
_VIEWS = 2  # per busy container: the keyset, and the document of one client or API
_ALARMS, _DASHBOARDS = 14, 1  # of one stack (docs/signals.md)
_TRANSITIONS = 21  # states of a rotation
_DAILY = 4  # states of a scheduled run with nothing due


@dataclass(frozen=True, slots=True)
class CostLine:
    """`amount` units per month at `price` dollars each."""

    item: str
    amount: float
    unit: str
    price: float

    @property
    def dollars(self) -> float:
        """The cost per month."""
        return self.amount * self.price


@dataclass(frozen=True, slots=True)
class Load:
    """A stack's load per month."""

    tokens: int
    authorizations: int
    containers: int = 10  # issuers and authorizers that are busy on average
    higher_throughput: bool = False  # of Parameter Store, for the whole account and Region


def estimate_costs(load: Load, times: Times, prices: Mapping[str, float]) -> list[CostLine]:
    """The lines of a month's bill; `prices` by the names in prices.json.

    Not included: calls to your own APIs, fetches by verifiers elsewhere from CloudFront, log
    storage.
    """
    calls = load.tokens + load.authorizations
    rotations = MONTH / times.rotation_period
    grace = timing.grace_period(times, times.token_lifetime).total_seconds()
    keys = 2 + min(grace / times.rotation_period, 1.0)
    runs, days = MONTH / 600, MONTH / DAY
    own = runs * (_RECONCILE + _PUBLISH_APIS)
    seconds = load.tokens * _ISSUER + load.authorizations * _AUTHORIZER + own
    starts = calls * _STARTS + 2 * runs  # after ten minutes neither finds a warm container
    transitions = rotations * _TRANSITIONS + days * _DAILY
    kms = load.tokens + load.authorizations * _STARTS * keys + runs * keys
    metrics = _METRICS if calls else _IDLE_METRICS
    logs = load.tokens * _TOKEN_BYTES + load.authorizations * DECISION_BYTES
    reads = _VIEWS * load.containers * MONTH / times.view_ttl if calls else 0.0
    ssm = prices["ssm_10k_requests"] if load.higher_throughput else 0.0
    return [
        CostLine("KMS keys: active, standby, grace", keys, "keys", prices["kms_key_month"]),
        CostLine("KMS requests", kms / 10_000, "10,000", prices["kms_10k_requests"]),
        CostLine("Lambda calls", (calls + 2 * runs) / 1e6, "million", prices["lambda_1m_requests"]),
        CostLine("Lambda time", seconds * _MEMORY, "GB seconds", prices["lambda_gb_second"]),
        CostLine(
            "Lambda starts", starts * _START * _MEMORY, "GB seconds", prices["lambda_gb_second"]
        ),
        CostLine("POST /token", load.tokens / 1e6, "million", prices["api_rest_1m_requests"]),
        CostLine("Parameter Store reads", reads / 10_000, "10,000", ssm),
        CostLine("Logs", logs / 1e9, "GB", prices["logs_gb"]),
        CostLine("Metrics", metrics, "metrics", prices["metric_month"]),
        CostLine("Alarms", _ALARMS, "alarms", prices["alarm_month"]),
        CostLine("Dashboard", _DASHBOARDS, "dashboard", prices["dashboard_month"]),
        CostLine(
            "Schedules", (2 * runs + days) / 1e6, "million", prices["schedule_1m_invocations"]
        ),
        CostLine("S3 lists", 2 * runs / 1_000, "1,000", prices["s3_1k_lists"]),
        CostLine(
            "State transitions", transitions / 1_000, "1,000", prices["states_1k_transitions"]
        ),
    ]
