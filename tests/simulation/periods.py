"""The periods of the simulated deployments: small, and each chosen so that some term shows."""

from keyturn.keyset.timing import Times


def _times(**changes: int) -> Times:
    periods = {
        "view_ttl": 6,
        "propagation": 12,
        "token_lifetime": 20,
        "leeway": 4,
        "clock_skew": 4,
        "issuer_timeout": 4,
        "write_delay": 6,
        "result_ttl": 0,
        "rotation_period": 120,
        "stale_limit": 14,
        "jwks_max_age": 6,
        "cdn_ttl": 4,
    }
    return Times(**{**periods, **changes}).validate()


USUAL = _times()
CACHED = _times(result_ttl=9)  # API Gateway remembers
LONG_VIEWS = _times(view_ttl=14, propagation=3, jwks_max_age=2, cdn_ttl=1, stale_limit=20)
SLOW_WRITES = _times(write_delay=15, view_ttl=2, propagation=4, jwks_max_age=3, cdn_ttl=1)
SKEWED = _times(clock_skew=8, leeway=8, view_ttl=3, write_delay=3, rotation_period=140)
EXACT = _times(clock_skew=0, leeway=0, issuer_timeout=1, view_ttl=3, write_delay=2, stale_limit=3)
PATIENT = _times(
    clock_skew=0, leeway=0, issuer_timeout=1, view_ttl=3, write_delay=2, stale_limit=60
)

ALL = (USUAL, CACHED, LONG_VIEWS, SLOW_WRITES, SKEWED, EXACT, PATIENT)
