"""Mutants of single steps: when a key may be activated, and in which order an emergency does its work."""

from unittest.mock import patch

from keyturn.keyset import states, transitions
from keyturn.keyset.errors import TooEarly
from keyturn.keyset.states import Event, State
from keyturn.rotation import activate_key, create_key, disable_keys, plan_rotation, revoke_keys
from keyturn.rotation.task import EmergencyInput
from tests.simulation.mutants.patching import Mutant, around, in_step


@Mutant
def activate_is_open_to_grace_keys():
    """A repeated activate undoes a rollback."""
    grace = {**states.TABLE[State.GRACE], Event.ACTIVATE: State.ACTIVE}
    return patch.object(states, "TABLE", {**states.TABLE, State.GRACE: grace})


@around("activate", activate_key)
def an_unpublished_standby_is_activated(real, keyset, kid, now, **options):
    """It takes over although another key is active."""
    try:
        return real(keyset, kid, now, **options)
    except TooEarly:
        standby = transitions._get_live_key(keyset, kid, Event.ACTIVATE)
        return transitions._make_active(keyset, standby, Event.ACTIVATE, now, options["times"])


@in_step(disable_keys, EmergencyInput)
def keys_are_disabled_without_a_second_look(_real, stack, event):
    """DisableKeys trusts that RevokeKeys did its work."""
    for key in stack.keysets.read().keyset.all_keys:
        if key.kid in event.kids:
            stack.kms.disable(key.kms_key_arn)
    return {"outcome": "disabled"}


@in_step(revoke_keys, EmergencyInput)
def a_key_is_created_before_one_is_revoked(real, stack, event):
    """The revocation waits for KMS."""
    create_key.ensure_standby(stack, event.origin)
    return real(stack, event)


@in_step(revoke_keys, EmergencyInput)
def active_is_a_target(real, stack, event):
    """The key to revoke is looked up when the step runs, so a retry revokes another one."""
    active = stack.keysets.read().keyset.active
    kids = (active.kid,) if active else ()
    return real(stack, event.model_copy(update={"kids": kids}))


@in_step(plan_rotation, plan_rotation.PlanInput)
def authorizers_are_flushed_at_once(real, stack, event):
    """A container with an older view fills the cache again."""
    return {**real(stack, event), "seconds_until_flush": 0}
