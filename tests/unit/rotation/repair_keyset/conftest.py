"""What the repair's tests share: the damage that somebody can do, and the repair of it."""

import pytest

from keyturn.keyset.transitions import revoke
from keyturn.rotation import repair_keyset
from keyturn.rotation.publish_jwks import project
from keyturn.rotation.repair_keyset import Condition


@pytest.fixture
def repaired(booted, origin):
    """Diagnose and repair, to the JWKS; returns the diagnosis, and insists that all is sound."""

    def repaired():
        diagnosis = repair_keyset.diagnose(booted)
        repair_keyset.repair(booted, diagnosis, origin)
        project(booted, origin)
        assert repair_keyset.diagnose(booted).condition is Condition.SOUND
        booted.keysets.generations()
        return diagnosis

    return repaired


@pytest.fixture
def revoked(booted, change):
    """Revoke a live key; returns its kid."""

    def revoked(kid):
        change(revoke, [kid], times=booted.times, limits=booted.limits)
        return kid

    return revoked
