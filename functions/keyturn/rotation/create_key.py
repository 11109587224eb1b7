"""CreateKey: ensure that there is a standby; create a KMS key only if there is none."""

from datetime import datetime, timedelta

from keyturn.aws.keyset.kms_keys import KmsKey
from keyturn.aws.stack import Stack
from keyturn.keyset.errors import AnotherKeyIsStandby
from keyturn.keyset.model import Keyset, Origin
from keyturn.keyset.transitions import activate, register
from keyturn.rotation import births
from keyturn.rotation.task import Outcome, Step, StepInput, task


def run(stack: Stack, event: StepInput) -> Outcome:
    """Outcome `created` or `exists`, with the standby's kid."""
    return ensure_standby(stack, event.origin)


def ensure_standby(
    stack: Stack,
    origin: Origin,
    *,
    created: KmsKey | None = None,
    patience: timedelta | None = None,
) -> Outcome:
    """Keep the existing standby, or register one: the key `created` if given, else a new key.

    Waits for KMS to know the key, by default for as long as that can take. If the key cannot be
    registered, reconcile's sweep destroys it later.
    """
    standby = stack.keysets.read().keyset.standby
    if standby:
        return {"outcome": "exists", "kid": standby.kid}

    key = created or stack.kms.create()
    patience = stack.limits.newborn_age if patience is None else patience
    kid = births.wait_until_known(stack, key.created, lambda: _kid(stack, key), patience=patience)

    def change(keyset: Keyset, now: datetime) -> Keyset:
        lifetime = stack.times.token_lifetime
        return register(
            keyset, kid, key.arn, now, created=key.created, lifetime=lifetime, limits=stack.limits
        )

    try:
        stack.keysets.update(change, origin)
    except AnotherKeyIsStandby as refusal:
        return {"outcome": "exists", "kid": refusal.standby}
    return {"outcome": "created", "kid": kid}


def ensure_active(stack: Stack, origin: Origin, *, patience: timedelta | None = None) -> str:
    """Keep the active key, or activate the standby or a new key at once; returns its kid."""
    active = stack.keysets.read().keyset.active
    if active:
        return active.kid
    kid = str(ensure_standby(stack, origin, patience=patience)["kid"])

    def change(keyset: Keyset, now: datetime) -> Keyset:
        if keyset.active:
            return keyset
        return activate(keyset, kid, now, supersede=None, times=stack.times, limits=stack.limits)

    active = stack.keysets.update(change, origin).keyset.active
    return active.kid if active else kid


def _kid(stack: Stack, key: KmsKey) -> str:
    """The kid of a key after checking that it is this stack's own; raises ForeignKey."""
    stack.kms.check_own(key)
    return stack.kms.public_jwk(key.arn).kid


handler = task(Step.CREATE_KEY, StepInput, run)
