"""Mutants of how unregistered KMS keys are deleted."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

from keyturn.rotation import create_key, reconcile
from keyturn.rotation.repairs import Repair
from tests.simulation.mutants.patching import Mutant, around


@around("ensure_standby", create_key, reconcile)
def the_loser_of_a_race_deletes_its_key(real, stack, origin, **options):
    """A retry may just have registered that key."""
    created = []
    create = stack.kms.create

    def create_and_note():
        key = create()
        created.append(key.arn)
        return key

    with patch.object(stack.kms, "create", create_and_note):
        outcome = real(stack, origin, **options)
    if outcome["outcome"] == "exists":
        for arn in created:
            stack.kms.destroy(arn, window=7)
    return outcome


@Mutant
def the_sweep_takes_young_keys():
    """A key that is just being registered looks like an orphan."""

    def sweep(stack, origin):
        with patch.object(stack, "limits", replace(stack.limits, orphan_age=timedelta(0))):
            return real(stack, origin)

    real = reconcile.sweep_orphans
    return patch.dict(reconcile._REPAIRS, {Repair.SWEEP_ORPHANS: sweep})
