"""Checks of the public documents: the JWKS matches the keyset, and is not cached for too long."""

import re
from collections.abc import Iterator
from datetime import timedelta

from keyturn.aws.keyset.well_known import Projection, foreign_members
from keyturn.cli.doctor.findings import BY_FIX, Finding, Fix, Severity
from keyturn.cli.formatting import duration
from keyturn.cli.snapshot import PublicJwks, Snapshot

_NEXT_STEPS = timedelta(minutes=1)
_RUNBOOK = "docs/runbooks/lagging-jwks.md"


def check_projection(snapshot: Snapshot) -> Iterator[Finding]:
    """The JWKS in the bucket shows the generation that counts, and exactly its keys."""
    projection, truth = snapshot.projection, snapshot.generation
    if projection is None:
        if "jwks" not in snapshot.read_errors:
            yield _fixed_by_reconcile(
                "jwks_missing", Severity.CRITICAL, "There is no JWKS in the bucket."
            )
        return
    if projection.generation < truth.number:
        if _is_being_published(snapshot):
            return
        problem = f"The JWKS shows generation {projection.generation}, but the keyset is at {truth.number}."
        yield _fixed_by_reconcile("jwks_behind", Severity.ERROR, problem)
    elif projection.generation > truth.number:
        yield Finding(
            "jwks_ahead",
            Severity.CRITICAL,
            f"The JWKS shows generation {projection.generation}, but the keyset is only at {truth.number}: "
            "parameters were deleted, or the JWKS was written by hand.",
            "`keyturn repair` restores the newest generation from history/ in the bucket. If it is not "
            "there either, reconcile rewrites the JWKS within ten minutes.",
        )
    else:
        yield from _content(projection, {key.kid for key in truth.keyset.keys})


def _content(projection: Projection, kids: set[str]) -> Iterator[Finding]:
    """A JWKS of the right generation contains that generation's keys and nothing else."""
    foreign = foreign_members(projection.body, projection.generation, kids)
    if missing := sorted(kids - projection.keys.keys()):
        problem = f"The JWKS lacks {', '.join(missing)}: it was changed by hand."
        yield _fixed_by_reconcile("jwks_incomplete", Severity.CRITICAL, problem)
    if foreign:
        problem = f"The JWKS contains what is not Keyturn's: {', '.join(foreign)}. Other verifiers trust it."
        yield _fixed_by_reconcile("jwks_foreign", Severity.CRITICAL, problem)


def _is_being_published(snapshot: Snapshot) -> bool:
    """Whether a run has just changed the keyset and will publish it in its next steps."""
    return bool(snapshot.running) and snapshot.at - snapshot.generation.at < _NEXT_STEPS


def check_metadata(snapshot: Snapshot) -> Iterator[Finding]:
    """The metadata that names the JWKS and the token endpoint exists and is ours."""
    for name in snapshot.false_metadata or ():
        yield Finding(
            "metadata_false",
            Severity.ERROR,
            f"{name} in the bucket is missing or not Keyturn's: clients and verifiers that read it are misled.",
            f"{BY_FIX} rewrites it.",
            Fix.RECONCILE,
            name,
        )


def check_public(snapshot: Snapshot) -> Iterator[Finding]:
    """The JWKS is public, and no cache may keep it for longer than P."""
    public = snapshot.public
    if public is None:
        yield _unreachable(snapshot.read_errors["public_jwks"])
    elif public.status != 200:
        yield _unreachable(f"it answers {public.status}")
    else:
        yield from _caching(snapshot, public)
        yield from _at_the_edge(snapshot, public)


def _unreachable(error: str) -> Finding:
    return Finding(
        "jwks_unreachable",
        Severity.CRITICAL,
        f"The JWKS cannot be read at its public URL: {error}.",
        f"{_RUNBOOK}, step 4; {BY_FIX} writes it if it is missing.",
        Fix.RECONCILE,
    )


def _caching(snapshot: Snapshot, public: PublicJwks) -> Iterator[Finding]:
    times = snapshot.settings.times
    max_age = re.search(r"(?:^|[,\s])max-age=([0-9]{1,10})", public.cache_control)
    if max_age is None:
        problem = (
            "The JWKS is served without a max-age: caches may keep it for as long as they like."
        )
    elif int(max_age[1]) + times.cdn_ttl > times.propagation:
        problem = (
            f"The JWKS may be cached for {max_age[1]} + {times.cdn_ttl} s (max-age + CdnTtl), longer "
            f"than the {times.propagation} s that a rotation allows (P)."
        )
    elif int(max_age[1]) != times.jwks_max_age:
        problem = (
            f"The JWKS is served with max-age={max_age[1]}, the setting is {times.jwks_max_age}."
        )
    else:
        return
    yield _fixed_by_reconcile("jwks_caching", Severity.ERROR, problem)


def _at_the_edge(snapshot: Snapshot, public: PublicJwks) -> Iterator[Finding]:
    """No cache on the way serves an older generation for longer than it may."""
    if snapshot.projection is None or public.generation is None:
        return
    allowed = timedelta(seconds=snapshot.settings.times.cdn_ttl)
    behind = snapshot.at - snapshot.generation.at
    if public.generation < snapshot.projection.generation and behind > allowed:
        yield Finding(
            "jwks_stale_at_edge",
            Severity.ERROR,
            f"The public JWKS still shows generation {public.generation}, {duration(behind)} after "
            f"generation {snapshot.generation.number}.",
            f"Invalidate it in CloudFront ({_RUNBOOK}, step 4).",
        )


def _fixed_by_reconcile(code: str, severity: Severity, problem: str) -> Finding:
    return Finding(code, severity, problem, f"{BY_FIX} rewrites it.", Fix.RECONCILE)
