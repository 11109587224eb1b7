"""Mutants of what a keyset remembers, and of what the long run does to it."""

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from keyturn.keyset import planning, transitions
from keyturn.keyset.errors import KeysetFault
from keyturn.rotation import create_key, reconcile, record_changes
from keyturn.rotation import prune_generations as pruning
from tests.simulation.mutants.patching import everywhere


def ended_keys_are_never_forgotten() -> AbstractContextManager[Any]:
    """The document grows until it has no room for a new key."""
    return patch.object(transitions, "forget", lambda keyset, _now, _limits: keyset)


def ends_are_forgotten_at_once() -> AbstractContextManager[Any]:
    """A step whose reply was lost no longer finds that it is done."""

    def forget(keyset: Any, now: datetime, limits: Any) -> Any:
        return real(keyset, now, replace(limits, ended_age=timedelta(seconds=-1)))

    real = transitions.forget
    return patch.object(transitions, "forget", forget)


def forgotten_keys_leave_no_horizon() -> AbstractContextManager[Any]:
    """A key that ended and was forgotten can be registered by whoever created it."""

    def forget(keyset: Any, now: datetime, limits: Any) -> Any:
        return replace(real(keyset, now, limits), horizon=keyset.horizon)

    real = transitions.forget
    return patch.object(transitions, "forget", forget)


def unregistered_keys_stop_creation() -> AbstractContextManager[Any]:
    """As it was: four keys that no keyset lists, and none is created any more."""

    def ensure(stack: Any, origin: Any, **how: Any) -> Any:
        keyset = stack.keysets.read().keyset
        known = {key.kms_key_arn for key in keyset.all_keys}
        keys = [key for key in stack.kms.list_own() if key.enabled and key.arn not in known]
        if keyset.standby is None and len(keys) >= 4:
            raise KeysetFault("too many unclaimed keys")
        return real(stack, origin, **how)

    real = create_key.ensure_standby
    return everywhere("ensure_standby", ensure, create_key, reconcile)


def a_full_jwks_is_no_reason_to_wait() -> AbstractContextManager[Any]:
    """Grace keys pile up, and a load balancer ignores the whole JWKS."""

    def takeover(keyset: Any, published: datetime, times: Any, limits: Any) -> Any:
        return real(keyset, published, times, replace(limits, live_keys=1_000))

    real = planning.takeover
    return patch.object(planning, "takeover", takeover)


def generations_are_pruned_by_age_alone() -> AbstractContextManager[Any]:
    """In a busy hour every cold reader reads hundreds of them."""

    def prune(stack: Any) -> Any:
        with patch.object(stack, "limits", replace(stack.limits, generation_count=10_000)):
            return real(stack)

    real = pruning.prune_generations
    return everywhere("prune_generations", prune, pruning, record_changes)
