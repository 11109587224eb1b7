"""The month's bill, line by line: what is used times what it costs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from keyturn.keyset import timing
from keyturn.keyset.timing import Times

PRICES: Mapping[str, Any] = json.loads(files(__package__).joinpath("prices.json").read_text())
MONTH = 30 * 86_400  # seconds
_MEMORY = 0.5  # GB, as template.yaml has it
_ISSUER = 0.03  # seconds billed a token: one kms:Sign and its way
_AUTHORIZER = 0.001  # seconds billed a call: Lambda bills whole milliseconds
_RECONCILE = 1.0  # seconds a run, every ten minutes
_STARTS = 0.001  # of all calls find no warm container, and read each key from KMS
_LOG = 750  # bytes of a log line and of Lambda's own about the call
_METRICS, _ALARMS, _DASHBOARDS = 20, 11, 1  # of one stack (docs/signals.md)
_TRANSITIONS = 20  # states of a rotation
_DAILY = 3  # states of a scheduled run that finds nothing due


@dataclass(frozen=True, slots=True)
class Line:
    """`amount` of something a month at `price` dollars apiece."""

    what: str
    amount: float
    unit: str
    price: float

    @property
    def dollars(self) -> float:
        """A month."""
        return self.amount * self.price


@dataclass(frozen=True, slots=True)
class Load:
    """What a stack has to do a month."""

    tokens: int
    authorizations: int


def bill(load: Load, times: Times, prices: Mapping[str, float]) -> list[Line]:
    """The lines of a month; `prices` by the names in prices.json."""
    calls = load.tokens + load.authorizations
    rotations = MONTH / times.rotation_period
    grace = timing.grace_period(times, times.token_lifetime).total_seconds()
    keys = 2 + min(grace / times.rotation_period, 1.0)
    runs = MONTH / 600
    seconds = load.tokens * _ISSUER + load.authorizations * _AUTHORIZER + runs * _RECONCILE
    transitions = rotations * _TRANSITIONS + MONTH / 86_400 * _DAILY
    kms = load.tokens + load.authorizations * _STARTS * keys
    return [
        Line("KMS keys: active, standby, grace", keys, "keys", prices["kms_key_month"]),
        Line("KMS requests", kms / 10_000, "10,000", prices["kms_10k_requests"]),
        Line("Lambda calls", (calls + runs) / 1e6, "million", prices["lambda_1m_requests"]),
        Line("Lambda time", seconds * _MEMORY, "GB seconds", prices["lambda_gb_second"]),
        Line("POST /token", load.tokens / 1e6, "million", prices["api_rest_1m_requests"]),
        Line("Logs", calls * _LOG / 1e9, "GB", prices["logs_gb"]),
        Line("Metrics", _METRICS, "metrics", prices["metric_month"]),
        Line("Alarms", _ALARMS, "alarms", prices["alarm_month"]),
        Line("Dashboard", _DASHBOARDS, "dashboard", prices["dashboard_month"]),
        Line("State transitions", transitions / 1_000, "1,000", prices["states_1k_transitions"]),
    ]
