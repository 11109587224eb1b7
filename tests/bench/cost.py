"""What a million authorizations cost: Keyturn, `kms:Verify` per call, and API Gateway's own JWT check.

The prices are those of `keyturn cost`. What a call takes is assumed here, not measured.
"""

from dataclasses import dataclass

from keyturn.cli.cost.bill import PRICES
from tests.bench.rows import Row

MILLION = 1_000_000
_LINE = 420  # bytes of a log line: the decision with its metric
_REPORT = 330  # bytes that Lambda itself logs of a call: START, END and REPORT
_CONTAINERS, _HOURS = 1_000, 1  # for the KMS calls of cold containers


@dataclass(frozen=True)
class Design:
    """How a token is checked. `billed` in milliseconds, `memory` in MB, `api` dollars a million."""

    name: str
    api: float
    billed: float = 0.0  # milliseconds of Lambda a call
    memory: int = 512
    kms_calls: float = 0.0  # a call
    log_bytes: int = 0
    keys: int = 0
    metrics: int = 0

    @property
    def per_million(self) -> float:
        """Dollars a million authorizations, the API's own price left out."""
        if not self.billed:
            return 0.0
        seconds = self.billed / 1_000 * MILLION
        return float(
            PRICES["lambda_1m_requests"]
            + seconds * self.memory / 1_024 * PRICES["lambda_gb_second"]
            + self.kms_calls * MILLION / 10_000 * PRICES["kms_10k_requests"]
            + self.log_bytes * MILLION / 1e9 * PRICES["logs_gb"]
        )

    @property
    def per_month(self) -> float:
        """Dollars a month that do not depend on traffic."""
        return float(self.keys * PRICES["kms_key_month"] + self.metrics * PRICES["metric_month"])


DESIGNS = (
    Design(
        "Keyturn, authorizer of a REST API",
        PRICES["api_rest_1m_requests"],
        billed=1,  # Lambda bills whole milliseconds; the handler takes a twentieth of one
        kms_calls=_CONTAINERS * _HOURS / MILLION,
        log_bytes=_LINE + _REPORT,
        keys=2,  # active and standby; a third for the hours of a rotation
        metrics=4,
    ),
    Design(
        "kms:Verify per call (the article)",
        PRICES["api_rest_1m_requests"],
        billed=12,  # one KMS round trip
        memory=128,
        kms_calls=1,
        log_bytes=_REPORT,
        keys=1,
    ),
    Design("API Gateway's JWT authorizer (HTTP API)", PRICES["api_http_1m_requests"], keys=1),
)


def rows() -> list[Row]:
    """Dollars per million authorizations, and per month at ten million."""
    ours = DESIGNS[0].per_million
    part = f"Cost in US dollars, list prices of {PRICES['as_of']}, {PRICES['region']}"
    return [
        Row(
            part,
            design.name,
            design.per_million / ours,
            f"{design.per_million:.2f} a million, {design.per_month:.2f} a month, "
            f"{design.per_month + 10 * design.per_million:.2f} a month at 10 million "
            f"(API calls besides: {design.api:.2f} a million)",
        )
        for design in DESIGNS
    ]
