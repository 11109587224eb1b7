"""Mutants of the waits for AWS's delays."""

from datetime import timedelta
from types import SimpleNamespace
from unittest.mock import patch

from keyturn.rotation import births, create_key, disable_keys, keyset_resource, replace_keys
from keyturn.rotation.task import EmergencyInput
from tests.definition import STATES
from tests.simulation.mutants.patching import Mutant, around, in_step, instead_of


@around("wait_until_known", births)
def newborns_are_waited_for_ten_seconds(real, stack, created, ask, *, patience):
    """The step gives its key up, and the next try creates another one."""
    return real(stack, created, ask, patience=min(patience, timedelta(seconds=10)))


@in_step(replace_keys, EmergencyInput)
def replacements_are_waited_for_one_after_the_other(_real, stack, event):
    """Verifiers learn of the key that signs only when KMS knows the standby, too."""
    active = create_key.ensure_active(stack, event.origin)
    standby = create_key.ensure_standby(stack, event.origin)
    return {"outcome": "replaced", "active": active, "standby": standby["kid"]}


@Mutant
def a_key_that_kms_does_not_know_counts_as_disabled():
    """NotFound is taken for deleted."""
    return patch.object(disable_keys, "births", SimpleNamespace(is_newborn=lambda *_: False))


@instead_of("_retry", keyset_resource)
def a_new_role_that_is_refused_fails_the_creation(_stack, work):
    """IAM accepts it only seconds later."""
    return work()


@Mutant
def the_probe_is_as_patient_as_any_step():
    """KMS signs with a new key minutes after it describes it."""
    return patch.dict(STATES["ProbeKey"]["Retry"][-1], MaxAttempts=5)


@Mutant
def an_emergency_gives_up_after_seven_seconds():
    """As it was: RevokeKeys is never invoked, and no later step has anything to do."""
    return patch.dict(STATES["PlanRotation"]["Retry"][-1], MaxAttempts=3)
