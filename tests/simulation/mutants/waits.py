"""Mutants of the arithmetic: what the margins of `keyset/timing.py` are for."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from keyturn.keyset import timing
from keyturn.keyset.timing import Times


def the_wait_equals_the_ttl() -> AbstractContextManager[Any]:
    """A standby signs as soon as its JWKS is P old."""
    return patch.object(
        timing, "publication_wait", lambda t: timedelta(seconds=max(t.propagation, t.view_ttl))
    )


def the_publication_wait_lacks_omega() -> AbstractContextManager[Any]:
    """Views that are C old know of the publication only once its write has landed."""

    def wait(t: Times) -> timedelta:
        return timedelta(seconds=max(t.propagation, t.view_ttl) + t.clock_skew)

    return patch.object(timing, "publication_wait", wait)


def the_publication_wait_lacks_the_views() -> AbstractContextManager[Any]:
    """Only the JWKS is waited for."""

    def wait(t: Times) -> timedelta:
        return timedelta(seconds=t.propagation + t.write_delay + t.clock_skew)

    return patch.object(timing, "publication_wait", wait)


def _grace(of: Callable[[Times, int], int]) -> AbstractContextManager[Any]:
    return patch.object(timing, "grace_period", lambda t, life: timedelta(seconds=of(t, life)))


def grace_is_the_token_lifetime() -> AbstractContextManager[Any]:
    """Whoever signs with an older view is forgotten."""
    return _grace(lambda _t, lifetime: lifetime)


def grace_lacks_c_and_tau() -> AbstractContextManager[Any]:
    """An issuer with an older view signs for C + τ after the swap."""
    return _grace(lambda t, life: t.write_delay + life + t.leeway + t.clock_skew)


def a_new_lifetime_applies_to_keys_in_use() -> AbstractContextManager[Any]:
    """Grace is counted with the lifetime of today's deployment."""
    return _grace(
        lambda t, _life: (
            t.write_delay
            + t.view_ttl
            + t.issuer_timeout
            + t.token_lifetime
            + t.leeway
            + t.clock_skew
        )
    )
