"""What another writer does to the keyset, between two steps of a test."""

from typing import Any

from keyturn.aws.stack import Stack
from keyturn.keyset.model import Generation, Key, Origin
from keyturn.keyset.transitions import activate, revoke
from tests.cloud.account import Account
from tests.unit.stage import active_key, standby_key, truth


def change(stack: Stack, transition: Any, *args: Any, **kwargs: Any) -> Generation:
    """Make a transition."""
    return stack.keysets.update(
        lambda keyset, now: transition(keyset, *args, now, **kwargs),
        Origin("op-other", "somebody", "else"),
    )


def supersede(stack: Stack, cloud: Account) -> Key:
    """Activate the standby; returns the key that was active until then."""
    old, standby = active_key(truth(cloud)), standby_key(truth(cloud))
    periods = {"times": stack.times, "limits": stack.limits}
    change(stack, activate, standby.kid, supersede=old.kid, **periods)
    return old


def revoke_keys(stack: Stack, *kids: str) -> Generation:
    """Revoke live keys."""
    return change(stack, revoke, kids, times=stack.times, limits=stack.limits)
