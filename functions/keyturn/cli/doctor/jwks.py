"""Checks of the JWKS: is it what the keyset says, can everyone read it, and not for too long."""

import re
from collections.abc import Iterator
from datetime import timedelta

from keyturn.cli.doctor.findings import BY_FIX, Finding, Fix, Severity
from keyturn.cli.observation import Observed, PublicJwks
from keyturn.cli.wording import duration

_NEXT_STEPS = timedelta(minutes=1)
_RUNBOOK = "docs/runbooks/lagging-jwks.md"


def check_projection(seen: Observed) -> Iterator[Finding]:
    """The object in the bucket shows the generation that counts, and exactly its keys."""
    shown, truth = seen.projection, seen.generation
    if shown is None:
        if "jwks" not in seen.unread:
            yield _lagging("jwks_missing", Severity.CRITICAL, "There is no JWKS in the bucket.")
        return
    if shown.generation < truth.number:
        if _is_being_published(seen):
            return
        what = f"The JWKS shows generation {shown.generation}, the keyset is at {truth.number}."
        yield _lagging("jwks_behind", Severity.ERROR, what)
    elif shown.generation > truth.number:
        yield Finding(
            "jwks_ahead",
            Severity.CRITICAL,
            f"The JWKS shows generation {shown.generation}, the keyset is only at {truth.number}: "
            "parameters were deleted.",
            "`keyturn repair` restores the newest from history/ in the bucket.",
        )
    elif odd := set(shown.keys) ^ {key.kid for key in truth.keyset.keys}:
        yield Finding(
            "jwks_differs",
            Severity.CRITICAL,
            f"The JWKS differs from its own generation in {', '.join(sorted(odd))}: "
            "somebody wrote it by hand.",
            f"Delete .well-known/jwks.json from the bucket, then {BY_FIX} writes it.",
        )


def _is_being_published(seen: Observed) -> bool:
    """A run that has just changed the keyset publishes it in its next steps."""
    return bool(seen.running) and seen.at - seen.generation.at < _NEXT_STEPS


def check_public(seen: Observed) -> Iterator[Finding]:
    """Anyone can read it, and nobody is told to keep it for longer than P."""
    public = seen.public
    if public is None:
        yield _unreachable(seen.unread["public_jwks"])
    elif public.status != 200:
        yield _unreachable(f"it answers {public.status}")
    else:
        yield from _caching(seen, public)
        yield from _at_the_edge(seen, public)


def _unreachable(why: str) -> Finding:
    return Finding(
        "jwks_unreachable",
        Severity.CRITICAL,
        f"The JWKS cannot be read by its public URL: {why}.",
        f"{_RUNBOOK}, step 4; {BY_FIX} writes it if it is missing.",
        Fix.RECONCILE,
    )


def _caching(seen: Observed, public: PublicJwks) -> Iterator[Finding]:
    times = seen.settings.times
    told = re.search(r"(?:^|[,\s])max-age=(\d+)", public.cache_control)
    if told is None:
        what = "The JWKS is served without a max-age: caches keep it as long as they like."
    elif int(told[1]) + times.cdn_ttl > times.propagation:
        what = (
            f"The JWKS may be cached for {told[1]} + {times.cdn_ttl} s (max-age + CdnTtl), longer "
            f"than the {times.propagation} s that a rotation allows (P)."
        )
    elif int(told[1]) != times.jwks_max_age:
        what = f"The JWKS is served with max-age={told[1]}, the setting is {times.jwks_max_age}."
    else:
        return
    yield _lagging("jwks_caching", Severity.ERROR, what)


def _at_the_edge(seen: Observed, public: PublicJwks) -> Iterator[Finding]:
    """A cache on the way that shows an older generation for longer than it may."""
    if seen.projection is None or public.generation is None:
        return
    allowed = timedelta(seconds=seen.settings.times.cdn_ttl)
    behind = seen.at - seen.generation.at
    if public.generation < seen.projection.generation and behind > allowed:
        yield Finding(
            "jwks_stale_at_edge",
            Severity.ERROR,
            f"The public JWKS still shows generation {public.generation}, {duration(behind)} after "
            f"generation {seen.generation.number}.",
            f"Invalidate it in CloudFront ({_RUNBOOK}, step 4).",
        )


def _lagging(code: str, severity: Severity, what: str) -> Finding:
    return Finding(code, severity, what, f"{BY_FIX} writes it anew.", Fix.RECONCILE)
