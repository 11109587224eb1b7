"""Mutants of how unregistered KMS keys are cleared away."""

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from keyturn.rotation import create_key, reconcile
from keyturn.rotation.repairs import Repair
from tests.simulation.mutants.patching import everywhere


def the_loser_of_a_race_deletes_its_key() -> AbstractContextManager[Any]:
    """Which a retry may have just registered."""

    def ensure(stack: Any, origin: Any, **how: Any) -> Any:
        made: list[str] = []
        create = stack.kms.create
        with patch.object(stack.kms, "create", lambda: _noted(made, create())):
            outcome = real(stack, origin, **how)
        for arn in made:
            if outcome["outcome"] == "exists":
                stack.kms.destroy(arn, window=7)
        return outcome

    real = create_key.ensure_standby
    return everywhere("ensure_standby", ensure, create_key, reconcile)


def _noted(made: list[str], key: Any) -> Any:
    made.append(key.arn)
    return key


def the_sweep_takes_young_keys() -> AbstractContextManager[Any]:
    """A key that is just being registered looks like an orphan."""

    def sweep(stack: Any, origin: Any) -> Any:
        with patch.object(stack, "limits", replace(stack.limits, orphan_age=timedelta(0))):
            return real(stack, origin)

    real = reconcile.sweep_orphans
    return patch.dict(reconcile._REPAIRS, {Repair.SWEEP_ORPHANS: sweep})
