"""Mutants that show only in a long run: something grows, or fills up."""

from dataclasses import replace
from unittest.mock import patch

from keyturn.keyset import planning, transitions
from keyturn.keyset.errors import KeysetFault
from keyturn.rotation import create_key, prune_generations, reconcile, record_changes
from tests.simulation.mutants.patching import around, instead_of


@instead_of("forget", transitions)
def ended_keys_are_never_forgotten(keyset, _now, _limits):
    """The document grows until it has no room for a new key."""
    return keyset


@around("ensure_standby", create_key, reconcile)
def unregistered_keys_stop_creation(real, stack, origin, **options):
    """As it was: after four keys that no keyset lists, none is created any more."""
    keyset = stack.keysets.read().keyset
    known = {key.kms_key_arn for key in keyset.all_keys}
    keys = [key for key in stack.kms.list_own() if key.enabled and key.arn not in known]
    if keyset.standby is None and len(keys) >= 4:
        raise KeysetFault("too many unclaimed keys")
    return real(stack, origin, **options)


@around("takeover", planning)
def a_full_jwks_is_no_reason_to_wait(real, keyset, published, times, limits):
    """Grace keys pile up, and a load balancer ignores the whole JWKS."""
    return real(keyset, published, times, replace(limits, live_keys=1_000))


@around("prune_generations", prune_generations, record_changes)
def generations_are_pruned_by_age_alone(real, stack):
    """In a busy hour every cold reader reads hundreds of them."""
    with patch.object(stack, "limits", replace(stack.limits, generation_count=10_000)):
        return real(stack)
