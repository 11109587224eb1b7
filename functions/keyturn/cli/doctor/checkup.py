"""All checks together."""

from collections.abc import Iterable

from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.settings import InvalidSettings
from keyturn.cli.doctor import caches, cutoffs, documents, environment, history, jwks, keys
from keyturn.cli.doctor.findings import Finding, Severity
from keyturn.cli.remedies import remedy_for
from keyturn.cli.snapshot import Snapshot, read_snapshot
from keyturn.keyset.errors import ContradictorySettings, KeysetFault

_DRIFT = (keys.check_keyset, keys.check_kms, jwks.check_projection)
_ALL = (
    *_DRIFT,
    jwks.check_metadata,
    jwks.check_public,
    history.check_history,
    cutoffs.check_room,
    environment.check_executions,
    environment.check_schedules,
    environment.check_clock,
    caches.check_authorizer_caches,
    caches.check_cached_routes,
    documents.check_readable,
    documents.check_apis,
    environment.check_readable,
)
_ORDER = list(Severity)


def drift(snapshot: Snapshot) -> list[Finding]:
    """Disagreements between keyset, JWKS and KMS, the most severe first."""
    return _sort_by_severity(finding for check in _DRIFT for finding in check(snapshot))


def examine(snapshot: Snapshot) -> list[Finding]:
    """Every problem, the most severe first."""
    return _sort_by_severity(finding for check in _ALL for finding in check(snapshot))


def checkup(deployment: Deployment) -> list[Finding]:
    """Read the stack and check it; unreadable settings or keyset are a finding of their own."""
    try:
        return examine(read_snapshot(deployment, with_authorizers=True))
    except (ContradictorySettings, InvalidSettings) as error:
        return [_unreadable_finding("settings_contradict", error)]
    except KeysetFault as error:
        return [_unreadable_finding("keyset_unreadable", error)]


def _unreadable_finding(code: str, error: Exception) -> Finding:
    remedy = remedy_for(error)
    problem = f"{error}. Nothing else could be checked."
    return Finding(code, Severity.CRITICAL, problem, f"{remedy[0].upper()}{remedy[1:]}.")


def _sort_by_severity(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: _ORDER.index(finding.severity))
