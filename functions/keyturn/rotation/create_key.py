"""CreateKey: there is a standby afterwards, a new KMS key only if there was none."""

from datetime import datetime

from keyturn.aws.kms_keys import KmsKey
from keyturn.aws.stack import Stack
from keyturn.keyset.errors import AnotherKeyIsStandby, KeysetFault
from keyturn.keyset.model import Keyset, Origin
from keyturn.keyset.transitions import activate, register
from keyturn.rotation.task import Outcome, StepInput, task

_MOST_UNCLAIMED = 4


class TooManyUnclaimedKeys(KeysetFault):
    """Keys are being created and not registered: stop before there are thousands."""


def run(stack: Stack, event: StepInput) -> Outcome:
    """Outcome `created` or `exists`, with the standby's kid."""
    return ensure_standby(stack, event.origin)


def ensure_standby(stack: Stack, origin: Origin) -> Outcome:
    """Leave the standby that there is, or create and register one."""
    standby = stack.keysets.read().keyset.standby
    if standby:
        return {"outcome": "exists", "kid": standby.kid}

    key = _claimable(stack, origin.op_id) or stack.kms.create(origin.op_id)
    kid = stack.kms.public_jwk(key.arn).kid

    def change(keyset: Keyset, now: datetime) -> Keyset:
        lifetime = stack.times.token_lifetime
        return register(
            keyset, kid, key.arn, now, created=key.created, lifetime=lifetime, ages=stack.ages
        )

    try:
        stack.keysets.update(change, origin)
    except AnotherKeyIsStandby as refusal:  # lost the race; our key is left to the orphan sweep
        return {"outcome": "exists", "kid": refusal.standby}
    return {"outcome": "created", "kid": kid}


def ensure_active(stack: Stack, origin: Origin) -> str:
    """Leave the active key that there is, or have the standby or a new key sign at once."""
    active = stack.keysets.read().keyset.active
    if active:
        return active.kid
    kid = str(ensure_standby(stack, origin)["kid"])

    def change(keyset: Keyset, now: datetime) -> Keyset:
        if keyset.active:
            return keyset
        return activate(keyset, kid, now, supersede=None, times=stack.times)

    risen = stack.keysets.update(change, origin).keyset.active
    return risen.kid if risen else kid


def unclaimed_keys(stack: Stack) -> list[KmsKey]:
    """This stack's KMS keys that no stored generation knows and nobody is deleting."""
    claimed = {
        key.kms_key_arn
        for generation in stack.keysets.generations()
        for key in generation.keyset.known
    }
    return [
        key for key in stack.kms.of_stack() if key.arn not in claimed and not key.pending_deletion
    ]


def _claimable(stack: Stack, op_id: str) -> KmsKey | None:
    """A key that an earlier attempt of this very operation created and could not register."""
    unclaimed = [key for key in unclaimed_keys(stack) if key.enabled]
    youngest = stack.clock.now() - stack.ages.claim
    for key in unclaimed:
        if key.op_id == op_id and key.created > youngest:
            return key
    if len(unclaimed) >= _MOST_UNCLAIMED:
        raise TooManyUnclaimedKeys(
            f"{len(unclaimed)} KMS keys of this stack are in no keyset: none is created until "
            "reconcile has swept them"
        )
    return None


handler = task(StepInput, run)
