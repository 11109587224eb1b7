"""RepairKeyset: which case it is, and what is restored under which number."""

from dataclasses import replace

import pytest

from keyturn.keyset import document
from keyturn.keyset.states import State
from keyturn.rotation import repair_keyset
from keyturn.rotation.record_changes import record_changes
from keyturn.rotation.repair_keyset import Condition
from tests.unit.changes import revoke_keys
from tests.unit.rotation.repair_keyset.damage import (
    diagnose_and_repair,
    lose,
    name,
    put,
    revoke_active,
    revoke_standby,
)
from tests.unit.stage import active_kid, truth


def test_a_sound_keyset_needs_no_repair(booted, cloud):
    """The diagnosis writes nothing."""
    before = cloud.snapshot()
    diagnosis = repair_keyset.diagnose(booted)
    assert (diagnosis.condition, diagnosis.number) == (Condition.SOUND, None)
    assert cloud.snapshot() == before


@pytest.mark.parametrize("number", [1, 3, 999_999_999_999])
def test_a_foreign_parameter_needs_no_repair(booted, cloud, number):
    """It is ignored, and reconcile removes it."""
    if number != 1:
        cloud.ssm.put(name(number), "{")
    assert repair_keyset.diagnose(booted).condition is Condition.SOUND


def test_an_overwritten_generation_comes_from_the_history(booted, cloud, origin):
    """If the history has recorded the generation, nothing is lost."""
    kid = revoke_standby(booted, cloud)
    record_changes(booted)
    good = booted.keysets.read()
    put(cloud, good.number, "{")
    diagnosis = diagnose_and_repair(booted, origin)
    assert [one.number for one in diagnosis.missing] == [good.number]
    assert booted.keysets.read() == good
    assert truth(cloud).get(kid).state is State.REVOKED


def test_a_warm_reader_keeps_its_generation(booted, cloud, origin, container):
    """It has read the overwritten number and never goes back; after the repair it continues."""
    record_changes(booted)
    warm = container()
    held = warm.view.get()
    put(cloud, held.number, "{")
    warm.clock.advance(warm.times.view_ttl + 1)
    assert warm.view.get() == held
    diagnose_and_repair(booted, origin)
    warm.clock.advance(warm.times.view_ttl + 1)
    assert warm.view.get_fresh() == held


def test_a_newer_release_is_left_alone(booted, cloud):
    """Only that release can read the keyset, so this one must not repair it."""
    text = document.dumps(booted.keysets.read()).replace('"schema":1', '"schema":2')
    put(
        cloud,
        3,
        text.replace(booted.keysets.read().parent, document.digest(booted.keysets.read().text)),
    )
    before = cloud.snapshot()
    assert repair_keyset.diagnose(booted).condition is Condition.NEWER_RELEASE
    assert cloud.snapshot() == before


@pytest.mark.parametrize("lost", [(2,), (1, 2)], ids=["the newest", "all"])
def test_deleted_generations_come_back_from_the_history(booted, cloud, origin, lost):
    """The newest one, at least, is restored unchanged."""
    record_changes(booted)
    good = booted.keysets.read()
    lose(cloud, *lost)
    diagnosis = diagnose_and_repair(booted, origin)
    assert (diagnosis.condition, diagnosis.source, diagnosis.number) == (Condition.LOST, good, None)
    assert booted.keysets.read() == good


def test_a_gap_is_closed(booted, cloud, origin):
    """The generations above it count again; nothing new is written."""
    revoke_standby(booted, cloud)
    record_changes(booted)
    good = booted.keysets.read()
    lose(cloud, 2)
    assert booted.keysets.read().number == 1
    diagnose_and_repair(booted, origin)
    assert booted.keysets.read() == good


def test_a_deleted_placeholder_is_written_again(booted, cloud, origin):
    """The generation above it counts again."""
    put(cloud, 3, "{")
    revoke_standby(booted, cloud)
    good = booted.keysets.read()
    lose(cloud, 3)
    assert booted.keysets.read().number == 2
    diagnose_and_repair(booted, origin)
    assert booted.keysets.read() == good


def test_no_ended_key_comes_back_from_the_history(booted, origin, cloud):
    """A key that is revoked in SSM is revoked in the restored generation; the standby signs."""
    good = booted.keysets.read()
    active, standby = good.keyset.active.kid, good.keyset.standby.kid
    booted.history.keep(9, document.dumps(replace(good, number=9)))
    revoke_keys(booted, active)
    diagnosis = diagnose_and_repair(booted, origin)
    assert (diagnosis.source.number, diagnosis.number) == (3, 10)
    assert truth(cloud).get(active).state is State.REVOKED
    assert active_kid(cloud) == standby


def test_a_revocation_in_a_lost_branch_is_repeated(booted, cloud, origin, container):
    """The newest generation was deleted, and another writer took its number before any repair."""
    kid = revoke_active(booted, cloud)
    warm = container()
    assert warm.view.get().keyset.find(kid).state is State.REVOKED
    record_changes(booted)
    lose(cloud, 3)
    revoke_standby(booted, cloud)
    assert active_kid(cloud) == kid
    diagnosis = diagnose_and_repair(booted, origin)
    assert diagnosis.revocations == (kid,)
    assert truth(cloud).get(kid).state is State.REVOKED
    warm.clock.advance(warm.times.view_ttl + 1)
    assert warm.view.get_fresh() == booted.keysets.read()
