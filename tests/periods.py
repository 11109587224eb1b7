"""The periods of template.yaml's defaults, without a CDN in front of the JWKS."""

from keyturn.keyset.timing import Times

DEFAULTS = Times(
    view_ttl=30,
    propagation=7500,
    token_lifetime=3600,
    leeway=30,
    clock_skew=10,
    issuer_timeout=10,
    write_delay=20,
    result_ttl=0,
    rotation_period=2_592_000,
    stale_limit=300,
    jwks_max_age=300,
    cdn_ttl=0,
)
