"""RepairKeyset: what the JWKS and the history say of generations that SSM does not hold."""

import pytest

from keyturn.rotation import repair_keyset
from keyturn.rotation.record_changes import record_changes
from keyturn.rotation.repair_keyset import Condition, JwksNotOurs, NothingToRestore
from tests.unit.rotation.repair_keyset.damage import diagnose_and_repair, lose, put, show
from tests.unit.stage import active_key, active_kid, standby_key, truth


def test_a_key_that_the_jwks_no_longer_shows_has_ended(booted, cloud, origin):
    """If only the JWKS is of a later generation, it shows exactly the live keys."""
    active, standby = active_key(truth(cloud)), standby_key(truth(cloud))
    show(cloud, 7, [standby.kid])
    diagnosis = diagnose_and_repair(booted, origin)
    assert (diagnosis.condition, diagnosis.number) == (Condition.LOST, 8)
    assert diagnosis.revocations == (active.kid,)
    assert active_kid(cloud) == standby.kid


@pytest.mark.parametrize(("number", "has_keys"), [(7, False), (999_999_999_999, True)])
def test_a_jwks_that_is_not_ours_decides_nothing(booted, cloud, number, has_keys):
    """It has none of our keys, or a number that no generation could follow."""
    show(cloud, number, [key.kid for key in truth(cloud).keys] if has_keys else [])
    with pytest.raises(JwksNotOurs, match=f"generation {number}"):
        repair_keyset.diagnose(booted)


def test_without_a_readable_generation_nothing_is_restored(stack, cloud):
    """The diagnosis fails instead of inventing a keyset."""
    with pytest.raises(NothingToRestore):
        repair_keyset.diagnose(stack)
    put(cloud, 1, "{")
    stack.history.keep(1, "{}")
    with pytest.raises(NothingToRestore):
        repair_keyset.diagnose(stack)


def test_an_unreadable_object_in_the_history_is_skipped(booted, cloud, origin):
    """The newest readable generation is restored."""
    record_changes(booted)
    cloud.s3.write("history/000000000003.json", b"\xff")
    lose(cloud, 2)
    diagnosis = diagnose_and_repair(booted, origin)
    assert (diagnosis.source.number, diagnosis.number) == (2, None)
