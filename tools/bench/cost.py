"""What a million authorizations cost: Keyturn, `kms:Verify` per call, and API Gateway's own JWT checks.

The prices are those of `keyturn cost`, the bytes those of `make bench PART=logs`. What a call takes is
assumed here, not measured.
"""

from dataclasses import dataclass

from keyturn.cli.cost.costs import PRICES, Load, estimate_costs
from tests.lambda_log import Logging, size
from tests.periods import DEFAULTS
from tools.bench import logs
from tools.bench.rows import Part, Row

MILLION = 1_000_000
GOAL = 0.35  # dollars per million authorizations
_CONTAINERS, _HOURS = 1_000, 1  # that share the million: many, so that cold starts and reads show
_START = 0.5  # seconds billed per cold start: INIT, and the first reads
_READS = 2 * _CONTAINERS * _HOURS * 3_600 / DEFAULTS.view_ttl  # of keyset and document, at most
_NUMBERS = {name: price for name, price in PRICES.items() if not isinstance(price, str)}


def _standing(authorizations: int) -> float:
    """Dollars per month that a stack costs whatever its traffic is, if there is any: metrics need data."""
    return sum(line.dollars for line in estimate_costs(Load(0, authorizations), DEFAULTS, _NUMBERS))


@dataclass(frozen=True)
class Design:
    """How a token is checked. `billed` in milliseconds, `memory` in MB, `api` dollars a million."""

    name: str
    api: float
    idle: float = PRICES["kms_key_month"]  # dollars a month without traffic: at least a key
    standing: float = PRICES["kms_key_month"]  # the same with traffic
    billed: float = 0.0  # milliseconds of Lambda a call
    memory: int = 512
    starts: int = 0  # cold starts
    kms_calls: float = 0.0  # a call
    ssm_calls: float = 0.0  # a million calls, where they cost something
    log_bytes: int = 0

    @property
    def per_million(self) -> float:
        """Dollars a million authorizations, the API's own price left out."""
        if not self.billed:
            return 0.0
        seconds = self.billed / 1_000 * MILLION + self.starts * _START
        return float(
            PRICES["lambda_1m_requests"]
            + seconds * self.memory / 1_024 * PRICES["lambda_gb_second"]
            + self.kms_calls * MILLION / 10_000 * PRICES["kms_10k_requests"]
            + self.ssm_calls / 10_000 * PRICES["ssm_10k_requests"]
            + self.log_bytes * MILLION / 1e9 * PRICES["logs_gb"]
        )


def designs() -> list[Design]:
    """Ours first."""
    ours = {
        "api": PRICES["api_rest_1m_requests"],
        "idle": _standing(0),
        "standing": _standing(1),
        "billed": 1,  # Lambda bills whole milliseconds; the handler takes a twentieth of one
        "starts": _CONTAINERS,
        "kms_calls": _CONTAINERS / MILLION,
        "log_bytes": logs.measure()["accepted"],
    }
    return [
        Design("Keyturn, authorizer of a REST API", **ours),
        Design("… with Parameter Store's higher throughput", **ours, ssm_calls=_READS),
        Design(
            "kms:Verify per call (the article)",
            PRICES["api_rest_1m_requests"],
            billed=12,  # one KMS round trip
            memory=128,
            starts=_CONTAINERS,
            kms_calls=1,
            log_bytes=size(Logging(json=False).lines()),
        ),
        Design("API Gateway's JWT authorizer (REST API)", PRICES["api_rest_1m_requests"]),
        Design("API Gateway's JWT authorizer (HTTP API)", PRICES["api_http_1m_requests"]),
    ]


def rows() -> list[Row]:
    """Dollars per million authorizations, and per month at ten million."""
    part = Part(f"Cost in US dollars, list prices of {PRICES['as_of']}, {PRICES['region']}")
    ours, *others = designs()
    reached = ours.per_million <= GOAL
    part.add(ours.name, _dollars(ours), 1.0, f"≤ {GOAL:.2f} a million", reached)
    for design in others:
        part.add(design.name, _dollars(design), design.per_million / ours.per_million)
    return part.rows


def _dollars(design: Design) -> str:
    million, busy = design.per_million, design.standing + 10 * design.per_million
    return (
        f"{million:.2f} a million, {design.idle:.2f} a month without traffic, {busy:.2f} a month at "
        f"10 million (API calls besides: {design.api:.2f} a million)"
    )
