"""All checks together."""

from collections.abc import Iterable

from keyturn.aws.deployment import Deployment
from keyturn.aws.settings import InvalidSettings
from keyturn.cli.advice import remedy_for
from keyturn.cli.doctor import jwks, keys, surroundings
from keyturn.cli.doctor.findings import Finding, Severity
from keyturn.cli.observation import Observed, observe
from keyturn.keyset.errors import ContradictorySettings, KeysetFault

_DRIFT = (keys.check_keyset, keys.check_kms, jwks.check_projection)
_ALL = (
    *_DRIFT,
    jwks.check_public,
    surroundings.check_executions,
    surroundings.check_schedules,
    surroundings.check_clock,
    surroundings.check_readable,
)
_ORDER = list(Severity)


def drift(seen: Observed) -> list[Finding]:
    """Where keyset, JWKS and KMS disagree, the worst first."""
    return _worst_first(finding for check in _DRIFT for finding in check(seen))


def examine(seen: Observed) -> list[Finding]:
    """Everything that is off, the worst first."""
    return _worst_first(finding for check in _ALL for finding in check(seen))


def checkup(deployment: Deployment) -> list[Finding]:
    """Look, and examine; settings or a keyset that cannot be read are a finding of their own."""
    try:
        return examine(observe(deployment))
    except (ContradictorySettings, InvalidSettings) as error:
        return [_blind("settings_contradict", error)]
    except KeysetFault as error:
        return [_blind("keyset_unreadable", error)]


def _blind(code: str, error: Exception) -> Finding:
    remedy = remedy_for(error)
    what = f"{error}. Nothing else can be looked at."
    return Finding(code, Severity.CRITICAL, what, f"{remedy[0].upper()}{remedy[1:]}.")


def _worst_first(found: Iterable[Finding]) -> list[Finding]:
    return sorted(found, key=lambda finding: _ORDER.index(finding.severity))
