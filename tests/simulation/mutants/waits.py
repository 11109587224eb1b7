"""Mutants of the arithmetic of `keyset/timing.py`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from keyturn.keyset import succession, timing
from tests.simulation.mutants.patching import Mutant, instead_of


@instead_of("publication_wait", timing)
def the_wait_equals_the_ttl(times):
    """A standby signs as soon as its JWKS is P old."""
    return timedelta(seconds=max(times.propagation, times.view_ttl))


@instead_of("publication_wait", timing)
def the_publication_wait_lacks_omega(times):
    """Views that are C old include the publication only once its write has landed."""
    return timedelta(seconds=max(times.propagation, times.view_ttl) + times.clock_skew)


@instead_of("publication_wait", timing)
def the_publication_wait_lacks_the_views(times):
    """Only the JWKS is waited for."""
    return timedelta(seconds=times.propagation + times.write_delay + times.clock_skew)


@instead_of("grace_period", timing)
def grace_is_the_token_lifetime(_times, lifetime):
    """Tokens signed with an older view are forgotten."""
    return timedelta(seconds=lifetime)


@instead_of("grace_period", timing)
def grace_lacks_c_and_tau(times, lifetime):
    """An issuer with an older view signs for C + τ after the switch."""
    return timedelta(seconds=times.write_delay + lifetime + times.leeway + times.clock_skew)


@Mutant
@contextmanager
def a_new_lifetime_applies_to_keys_in_use() -> Iterator[None]:
    """Grace is counted with the lifetime of today's deployment, and no check objects."""
    real = timing.grace_period
    with (
        patch.object(timing, "grace_period", lambda t, _lifetime: real(t, t.token_lifetime)),
        patch.object(succession, "_check_grace", lambda _key: iter(())),
    ):
        yield
