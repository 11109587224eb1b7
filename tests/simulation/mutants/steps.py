"""Mutants of single steps: when a key may rise, and what an emergency does in which order."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from unittest.mock import patch

from keyturn.keyset import states, transitions
from keyturn.keyset.errors import TooEarly
from keyturn.keyset.states import Event, State
from keyturn.rotation import activate_key, create_key, disable_keys, plan_rotation, revoke_keys
from keyturn.rotation.task import EmergencyInput
from tests.simulation.mutants.patching import rebuilt


def activate_is_open_to_grace_keys() -> AbstractContextManager[Any]:
    """A repeated activate undoes a rollback."""
    grace = {**states.TABLE[State.GRACE], Event.ACTIVATE: State.ACTIVE}
    return patch.object(states, "TABLE", {**states.TABLE, State.GRACE: grace})


def an_unpublished_standby_is_activated() -> AbstractContextManager[Any]:
    """Though another key is active."""

    def activate(keyset: Any, kid: str, now: datetime, **told: Any) -> Any:
        try:
            return real(keyset, kid, now, **told)
        except TooEarly:
            standby = transitions._get_live_key(keyset, kid, Event.ACTIVATE)
            return transitions._make_active(keyset, standby, Event.ACTIVATE, now, told["times"])

    real = transitions.activate
    return patch.object(activate_key, "activate", activate)


def keys_are_disabled_without_a_second_look() -> AbstractContextManager[Any]:
    """DisableKeys trusts that RevokeKeys did its work."""

    def run(stack: Any, event: Any) -> Any:
        for key in stack.keysets.read().keyset.all_keys:
            if key.kid in event.kids:
                stack.kms.disable(key.kms_key_arn)
        return {"outcome": "disabled"}

    return rebuilt(disable_keys, EmergencyInput, run)


def a_key_is_created_before_one_is_revoked() -> AbstractContextManager[Any]:
    """The revocation waits for KMS."""

    def run(stack: Any, event: Any) -> Any:
        create_key.ensure_standby(stack, event.origin)
        return real(stack, event)

    real = revoke_keys.run
    return rebuilt(revoke_keys, EmergencyInput, run)


def active_is_a_target() -> AbstractContextManager[Any]:
    """Who is meant is looked up when the step runs, so that a retry means another."""

    def run(stack: Any, event: Any) -> Any:
        active = stack.keysets.read().keyset.active
        kids = (active.kid,) if active else ()
        return real(stack, event.model_copy(update={"kids": kids}))

    real = revoke_keys.run
    return rebuilt(revoke_keys, EmergencyInput, run)


def authorizers_are_flushed_at_once() -> AbstractContextManager[Any]:
    """A container with an older view fills the cache again."""

    def run(stack: Any, event: Any) -> Any:
        return {**real(stack, event), "seconds_until_flush": 0}

    real = plan_rotation.run
    return rebuilt(plan_rotation, plan_rotation.PlanInput, run)
