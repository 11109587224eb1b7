"""A newborn key: KMS may not know it yet, and then it is neither gone nor harmless."""

from datetime import timedelta

import pytest

from keyturn.aws.faults import KeyUnusable
from keyturn.rotation import (
    births,
    create_key,
    disable_keys,
    publish_jwks,
    reconcile,
    replace_keys,
    revoke_keys,
)
from keyturn.rotation.disable_keys import DisableFailed
from tests.unit.rotation.stage import planned
from tests.unit.stage import active_kid, invoke, truth

UNKNOWN = "NotFoundException"


def revoke_newborns(cloud, *kids):
    """Revoke keys that have just been created; returns the input of the steps that follow."""
    event = {**planned(cloud), "kids": list(kids)}
    invoke(revoke_keys, event)
    return event


@pytest.mark.parametrize(("age", "newborn"), [(0, True), (301, True), (302, False)])
def test_a_key_is_a_newborn_for_five_minutes_and_the_clocks_difference(stack, clock, age, newborn):
    """The clocks may differ by ε, which is 1 s here."""
    assert births.is_newborn(stack, clock.now() - timedelta(seconds=age)) is newborn


def test_an_old_key_that_kms_does_not_know_is_not_waited_for(stack, aws, clock):
    """It has been deleted."""
    key = stack.kms.create()
    aws.fail("kms:GetPublicKey", aws.error(UNKNOWN), times=9)
    start, old = clock.monotonic(), clock.now() - timedelta(minutes=6)
    with pytest.raises(KeyUnusable):
        births.wait_until_known(
            stack, old, lambda: stack.kms.public_jwk(key.arn), patience=timedelta(minutes=1)
        )
    assert clock.monotonic() == start


def test_a_revoked_newborn_that_kms_does_not_know_is_not_reported_as_disabled(booted, cloud, aws):
    """The step fails and is retried; in the end reconcile disables the key."""
    event = revoke_newborns(cloud, active_kid(cloud))
    aws.fail("kms:DescribeKey", aws.error(UNKNOWN))
    with pytest.raises(DisableFailed, match="KMS does not know the key yet"):
        invoke(disable_keys, event)
    assert invoke(disable_keys, event)["outcome"] == "disabled"


def test_a_revoked_key_that_was_deleted_is_no_problem(booted, cloud, aws, clock):
    """It cannot sign any more."""
    event = revoke_newborns(cloud, active_kid(cloud))
    clock.advance(302)
    aws.fail("kms:DescribeKey", aws.error(UNKNOWN))
    assert invoke(disable_keys, event)["outcome"] == "disabled"


def test_reconcile_gives_a_newborn_half_a_minute(founded, aws, clock):
    """Its other repairs wait meanwhile, and its function times out after 120 s."""
    clock.advance(601)
    aws.fail("kms:GetPublicKey", aws.error(UNKNOWN), times=999)
    start = clock.monotonic()
    with pytest.raises(reconcile.RepairFailed):
        invoke(reconcile, {})
    assert clock.monotonic() - start < 100


def test_both_replacements_are_created_before_either_is_waited_for(booted, cloud, aws):
    """The two waits for KMS overlap."""
    event = revoke_newborns(cloud, *(key.kid for key in truth(cloud).keys))
    aws.reset()
    invoke(replace_keys, event)
    calls = [call for call in aws.operations if call in ("kms:CreateKey", "kms:GetPublicKey")]
    assert calls == ["kms:CreateKey"] * 2 + ["kms:GetPublicKey"] * 2


def test_a_registered_newborn_that_another_host_does_not_know_is_published(
    founded, cloud, aws, clock
):
    """The step retries for half of ω, which is 5 s here."""
    invoke(create_key, planned(cloud))
    aws.fail("kms:GetPublicKey", aws.error(UNKNOWN), times=2)
    start = clock.monotonic()
    assert invoke(publish_jwks, planned(cloud))["outcome"] == "published"
    assert clock.monotonic() - start == 1.5


def test_the_jwks_waits_no_longer_than_half_of_omega(founded, cloud, aws, clock):
    """The state machine retries the step."""
    invoke(create_key, planned(cloud))
    aws.fail("kms:GetPublicKey", aws.error(UNKNOWN), times=99)
    start = clock.monotonic()
    with pytest.raises(KeyUnusable):
        invoke(publish_jwks, planned(cloud))
    assert clock.monotonic() - start <= 3.5


def test_the_sweep_spares_a_key_whose_kid_is_unknown(booted, aws, clock, cloud):
    """The JWKS may contain it; the other orphans are deleted, and reconcile does not fail."""
    for _ in range(2):
        booted.kms.create()
    clock.advance(timedelta(hours=3).total_seconds())
    aws.fail("kms:GetPublicKey", aws.error(UNKNOWN))
    assert len(invoke(reconcile, {})["sweep_orphans"]) == 1
    assert list(cloud.snapshot()["keys"].values()).count("PendingDeletion") == 1
