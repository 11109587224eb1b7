"""Mutants of what a keyset remembers."""

from dataclasses import replace
from datetime import timedelta

from keyturn.keyset import transitions
from tests.simulation.mutants.patching import around


@around("forget", transitions)
def forgotten_keys_leave_no_horizon(real, keyset, now, limits):
    """A key that ended and was forgotten can be registered again by the run that created it."""
    return replace(real(keyset, now, limits), horizon=keyset.horizon)


@around("forget", transitions)
def ends_are_forgotten_at_once(real, keyset, now, limits):
    """A step whose reply was lost no longer recognizes that it is done."""
    return real(keyset, now, replace(limits, ended_age=timedelta(seconds=-1)))
