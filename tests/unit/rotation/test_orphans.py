"""The sweep: KMS keys that were created and never registered, or were forgotten."""

import json
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import pytest

from keyturn.aws.keyset.well_known import JWKS
from keyturn.keyset.transitions import revoke
from keyturn.rotation import reconcile
from keyturn.rotation.orphans import find_orphans
from keyturn.rotation.reconcile import RepairFailed
from tests.permissions.key_policy import default_policy
from tests.unit.changes import change
from tests.unit.stage import active_key, invoke, standby_key, truth

HOUR = timedelta(hours=1).total_seconds()


def states(cloud, keys):
    """What KMS says of each key."""
    return [cloud.kms.state(key.arn) for key in keys]


@pytest.fixture
def orphans(booted, clock):
    """Five keys that were created and never registered, two hours and a second ago."""
    keys = [booted.kms.create() for _ in range(5)]
    clock.advance(2 * HOUR + 1)
    return keys


def test_orphans_are_swept_two_per_run(booted, orphans, cloud):
    """Slowly, so that a mistake is noticed before it is complete. The log names the keys."""
    for destroyed in (2, 4, 5, 5):
        swept = invoke(reconcile, {}).get("sweep_orphans", [])
        assert set(swept) <= {key.arn for key in orphans}
        assert states(cloud, orphans).count("PendingDeletion") == destroyed


def test_a_key_is_an_orphan_once_no_run_can_register_it(booted, clock, cloud):
    """Two hours after its creation, strictly."""
    lost = booted.kms.create()
    clock.advance(2 * HOUR)
    assert "sweep_orphans" not in invoke(reconcile, {})
    assert cloud.kms.state(lost.arn) == "Enabled"
    clock.advance(1)
    invoke(reconcile, {})
    assert cloud.kms.state(lost.arn) == "PendingDeletion"


def test_forgotten_keys_are_swept_at_once(booted, origin, cloud, clock):
    """Behind the horizon a key has certainly ended: neither its age nor the number of keys matters."""
    forgotten = [booted.kms.create() for _ in range(5)]
    clock.advance(1)
    young = booted.kms.create()

    def forget(keyset, _now):
        return replace(keyset, horizon=forgotten[0].created)

    booted.keysets.update(forget, origin)
    assert set(invoke(reconcile, {})["sweep_orphans"]) == {key.arn for key in forgotten}
    assert states(cloud, forgotten) == ["PendingDeletion"] * 5
    assert cloud.kms.state(young.arn) == "Enabled"


def test_one_bad_key_never_stops_the_others(booted, orphans, cloud, aws):
    """The sweep continues, and the error at the end names the key that could not be destroyed."""
    aws.fail("kms:DisableKey", aws.error("AccessDeniedException"))
    with pytest.raises(RepairFailed, match=r"^sweep_orphans: .*AccessDeniedException"):
        invoke(reconcile, {})
    assert states(cloud, orphans).count("PendingDeletion") == 1


@pytest.mark.parametrize(
    ("spec", "usage"),
    [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
        ("ECC_NIST_P256", "SIGN_VERIFY"),
        ("RSA_2048", "ENCRYPT_DECRYPT"),
        ("RSA_2048", "SIGN_VERIFY"),
    ],
)
def test_a_foreign_key_with_our_tag_is_not_touched(booted, orphans, cloud, spec, usage):
    """Anyone may tag a key: another team's key stays as it is, and the sweep continues."""
    policy = default_policy()
    arns = [cloud.kms.create_tagged("demo", policy, KeySpec=spec, KeyUsage=usage) for _ in range(5)]
    for _ in range(4):
        invoke(reconcile, {})
    assert states(cloud, orphans) == ["PendingDeletion"] * 5
    assert {cloud.kms.state(arn) for arn in arns} == {"Enabled"}


def test_a_foreign_key_that_cannot_be_described_does_not_stop_the_sweep(
    booted, orphans, cloud, aws
):
    """Its policy does not name the role of reconcile, so KMS denies even DescribeKey."""
    foreign, describe = orphans[0], booted.clients.kms.describe_key

    def deny(**arguments):
        if arguments["KeyId"] == foreign.arn:
            raise aws.error("AccessDeniedException")
        return describe(**arguments)

    with patch.object(booted.clients.kms, "describe_key", deny):
        for _ in range(3):
            invoke(reconcile, {})
    assert states(cloud, orphans) == ["Enabled"] + ["PendingDeletion"] * 4


def test_unregistered_keys_never_delay_a_signer_or_a_standby(booted, stack, cloud, clock):
    """However many there are: both are repaired first."""
    kids = [key.kid for key in truth(cloud).keys]
    change(stack, revoke, kids, times=booted.times, limits=booted.limits)
    for _ in range(10):
        booted.kms.create()
    assert invoke(reconcile, {})["restore_active_key"] == active_key(truth(cloud)).kid
    clock.advance(HOUR / 2)
    assert invoke(reconcile, {})["restore_standby"] == standby_key(truth(cloud)).kid


def test_many_orphans_are_swept_faster_than_few(booted, clock, cloud):
    """A quarter per run: they never accumulate, however fast they are created."""
    keys = [booted.kms.create() for _ in range(20)]
    clock.advance(2 * HOUR + 1)
    invoke(reconcile, {})
    assert states(cloud, keys).count("PendingDeletion") == 5


def test_a_key_in_the_jwks_is_no_orphan(booted, orphans, cloud):
    """A verifier may trust it, however it came there: the JWKS is repaired first."""
    shown = orphans[0]
    version = cloud.s3.objects[JWKS][-1]
    document = json.loads(version.body)
    document["keys"].append(booted.kms.public_jwk(shown.arn).members())
    cloud.s3.put(JWKS, replace(version, body=json.dumps(document).encode()))
    assert shown.arn not in find_orphans(booted)
    assert len(find_orphans(booted)) > 0


def test_a_key_of_another_stack_is_no_orphan(booted, clock, cloud):
    """The tag names the stack."""
    other = cloud.kms.create_tagged("another", default_policy())
    clock.advance(48 * HOUR + 1)
    assert "sweep_orphans" not in invoke(reconcile, {})
    assert cloud.kms.state(other) == "Enabled"
