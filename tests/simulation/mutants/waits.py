"""Mutants of the arithmetic of `keyset/timing.py`, and of every wait for AWS's delays."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from keyturn.keyset import succession, timing
from keyturn.keyset.timing import Times
from keyturn.rotation import births, create_key, disable_keys, keyset_resource, replace_keys
from keyturn.rotation.task import EmergencyInput
from tests.definition import STATES
from tests.simulation.mutants.patching import rebuilt


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


@contextmanager
def a_new_lifetime_applies_to_keys_in_use() -> Iterator[None]:
    """Grace is counted with the lifetime of today's deployment, and nobody objects to its end."""
    margin = timing.grace_period
    with (
        patch.object(timing, "grace_period", lambda t, _life: margin(t, t.token_lifetime)),
        patch.object(succession, "_check_grace", lambda _key: iter(())),
    ):
        yield


def newborns_are_waited_for_ten_seconds() -> AbstractContextManager[Any]:
    """The step gives its key up, and the next try creates another one."""

    def wait_until_known(stack: Any, created: Any, ask: Any, *, patience: timedelta) -> Any:
        return real(stack, created, ask, patience=min(patience, timedelta(seconds=10)))

    real = births.wait_until_known
    return patch.object(births, "wait_until_known", wait_until_known)


def replacements_are_waited_for_one_after_the_other() -> AbstractContextManager[Any]:
    """Verifiers learn of the key that signs when KMS knows the standby, too."""

    def run(stack: Any, event: Any) -> Any:
        active = create_key.ensure_active(stack, event.origin)
        standby = create_key.ensure_standby(stack, event.origin)
        return {"outcome": "replaced", "active": active, "standby": standby["kid"]}

    return rebuilt(replace_keys, EmergencyInput, run)


def a_key_that_kms_does_not_know_counts_as_disabled() -> AbstractContextManager[Any]:
    """NotFound is read as gone for good."""
    old = SimpleNamespace(is_newborn=lambda *_: False)
    return patch.object(disable_keys, "births", old)


def a_new_role_that_is_refused_fails_the_creation() -> AbstractContextManager[Any]:
    """IAM lets it act seconds later."""
    return patch.object(keyset_resource, "_retry", lambda _stack, work: work())


def _patience(state: str, tries: int) -> AbstractContextManager[Any]:
    retrier = STATES[state]["Retry"][-1]
    return patch.dict(retrier, MaxAttempts=tries)


def the_probe_is_as_patient_as_any_step() -> AbstractContextManager[Any]:
    """KMS signs with a new key minutes after it shows it."""
    return _patience("ProbeKey", 5)


def an_emergency_gives_up_after_seven_seconds() -> AbstractContextManager[Any]:
    """As it was: RevokeKeys is never invoked, and no step after it has anything to do."""
    return _patience("PlanRotation", 3)
