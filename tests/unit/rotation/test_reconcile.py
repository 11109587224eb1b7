"""Reconcile: whatever an interrupted run can leave behind is repaired, and nothing else is touched."""

import json
from datetime import timedelta

import pytest

from keyturn.aws.keyset.reader import KeysetMissing
from keyturn.aws.keyset.well_known import JWKS
from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid
from keyturn.keyset.model import Keyset
from keyturn.keyset.states import State
from keyturn.keyset.transitions import retire, revoke
from keyturn.rotation import reconcile
from keyturn.rotation.reconcile import RepairFailed
from tests.permissions.key_policy import Principal
from tests.unit.changes import change, supersede
from tests.unit.stage import active_key, grace_until, invoke, settle, standby_key, truth

SECOND = timedelta(seconds=1)


def repair():
    """Run the function once; returns what it repaired, by name."""
    outcome = invoke(reconcile, {})
    assert outcome.pop("outcome") == "reconciled"
    return outcome


@pytest.fixture
def clean(booted, aws):
    """A booted stack, reconciled: every generation is in the history, too."""
    repair()
    aws.reset()
    return booted


def revoke_keys(stack, *kids):
    """Another writer revokes these keys."""
    change(stack, revoke, kids, times=stack.times, limits=stack.limits)


@pytest.fixture
def superseded(clean, stack, cloud, clock):
    """A stack whose first key has just gone into grace, with its JWKS; returns that key's kid."""
    clock.advance(60)
    return supersede(clean, cloud).kid


def test_a_clean_stack_is_not_touched(clean, cloud, aws):
    """Nothing is repaired, and nothing is written."""
    before = cloud.snapshot()
    assert repair() == {}
    assert cloud.snapshot() == before
    reads = ("ssm:Get", "tag:Get", "s3:Get", "s3:List", "kms:Describe", "kms:Get", "kms:List")
    assert [call for call in aws.operations if not call.startswith(reads)] == []


def test_a_lagging_jwks_is_published(clean, superseded, cloud):
    """It is published after a crash between ActivateKey and PublishJwks."""
    number = clean.keysets.read().number
    assert clean.well_known.read().generation < number
    assert repair()["publish_jwks"] == number
    projection = clean.well_known.read()
    assert (projection.generation, set(projection.keys)) == (
        number,
        {key.kid for key in truth(cloud).keys},
    )


def test_a_missing_jwks_is_written(clean, cloud):
    """It is written after a deletion by hand."""
    cloud.s3.delete(JWKS)
    assert "publish_jwks" in repair()
    assert set(clean.well_known.read().keys) == {key.kid for key in truth(cloud).keys}


def test_an_overdue_key_is_retired(clean, superseded, cloud, clock):
    """Only after verify_until + ε; it leaves the JWKS and is destroyed in the same run."""
    key = truth(cloud).get(superseded)
    clock.wall = grace_until(truth(cloud), superseded) + SECOND
    assert "retire_overdue_keys" not in repair()
    assert truth(cloud).get(superseded).state is State.GRACE
    clock.advance(1)
    assert repair()["retire_overdue_keys"] == [superseded]
    assert truth(cloud).get(superseded).state is State.RETIRED
    assert superseded not in clean.well_known.read().keys
    assert clean.kms.describe(key.kms_key_arn).pending_deletion


def test_without_an_active_key_the_standby_signs(clean, cloud):
    """It signs at once: there is no signer to wait for."""
    standby = standby_key(truth(cloud))
    settle(cloud, clean, Keyset((standby,), truth(cloud).ended))
    assert repair()["restore_active_key"] == standby.kid
    assert active_key(truth(cloud)).kid == standby.kid


def test_without_any_key_a_new_one_signs(clean, cloud):
    """Active and standby were both revoked: a key is created, activated and published."""
    revoke_keys(clean, *(key.kid for key in truth(cloud).keys))
    kid = repair()["restore_active_key"]
    assert active_key(truth(cloud)).kid == kid
    assert set(clean.well_known.read().keys) == {kid}


def test_a_new_keyset_waits_for_its_first_run(founded, cloud, clock):
    """For ten minutes the deployment creates its keys itself; after that reconcile does."""
    clock.advance(600 - 1)
    assert "restore_active_key" not in repair()
    assert not truth(cloud).keys
    clock.advance(1)
    assert repair()["restore_active_key"] == active_key(truth(cloud)).kid


def test_a_missing_standby_is_created_once_no_run_is_about_to(clean, cloud, clock):
    """Ten minutes after the last change; before that a run may be at work."""
    revoke_keys(clean, standby_key(truth(cloud)).kid)
    clock.advance(600 - 1)
    assert "restore_standby" not in repair()
    assert truth(cloud).standby is None
    clock.advance(1)
    assert repair()["restore_standby"] == standby_key(truth(cloud)).kid
    assert standby_key(truth(cloud)).published


@pytest.mark.parametrize("transition", [retire, revoke])
def test_an_ended_key_that_kms_still_has_is_destroyed(
    clean, superseded, stack, clock, cloud, transition
):
    """It is destroyed after a crash before DestroyKey."""
    arn = truth(cloud).get(superseded).kms_key_arn
    clock.advance(60)
    kid = superseded if transition is retire else [superseded]
    change(stack, transition, kid, times=clean.times, limits=clean.limits)
    assert repair()["destroy_ended_keys"] == [superseded]
    assert cloud.kms.state(arn) == "PendingDeletion"
    assert "destroy_ended_keys" not in repair()


def test_a_key_that_was_only_disabled_is_scheduled_for_deletion(clean, cloud):
    """An emergency disables the key first, and may end there."""
    standby = standby_key(truth(cloud))
    revoke_keys(clean, standby.kid)
    cloud.kms.disable(standby.kms_key_arn)
    assert repair()["destroy_ended_keys"] == [standby.kid]
    assert clean.kms.describe(standby.kms_key_arn).pending_deletion


def test_live_keys_are_never_destroyed(clean, superseded, cloud, clock):
    """Active, standby and grace keys stay enabled, however often reconcile runs."""
    for _ in range(3):
        clock.advance(5)
        repair()
    assert truth(cloud).get(superseded).state is State.GRACE
    assert all(clean.kms.describe(key.kms_key_arn).enabled for key in truth(cloud).keys)


def test_a_missing_keyset_is_restored_first(clean, cloud):
    """It is restored from the history first: otherwise every key would look like an orphan."""
    before = cloud.snapshot()
    for name in before["parameters"]:
        cloud.ssm.delete([name])
    assert invoke(reconcile, {})["restore_generations"]
    assert cloud.snapshot()["keys"] == before["keys"]
    newest = max(before["parameters"])
    assert cloud.snapshot()["parameters"][newest] == before["parameters"][newest]


def test_a_missing_keyset_without_a_record_stops_every_repair(clean, cloud, aws):
    """Nothing can be concluded from that."""
    for name in cloud.snapshot()["parameters"]:
        cloud.ssm.delete([name])
    for name in cloud.snapshot()["objects"]:
        if name.startswith("history/"):
            cloud.s3.delete(name)
    before = cloud.snapshot()
    with pytest.raises(KeysetMissing):
        invoke(reconcile, {})
    assert cloud.snapshot() == before


def test_an_unreadable_keyset_stops_every_repair(clean, cloud, aws, clock):
    """After a write of a newer release, an older one repairs nothing."""
    clean.kms.create()
    clock.advance(timedelta(days=3).total_seconds())
    parent = document.digest(clean.keysets.read().text)
    cloud.ssm.put("/keyturn/demo/keyset/000000000003", json.dumps({"schema": 2, "parent": parent}))
    before = cloud.snapshot()
    with pytest.raises(DocumentInvalid, match="000000000003"):
        invoke(reconcile, {})
    assert cloud.snapshot() == before


def test_without_ssm_nothing_is_repaired(clean, cloud, aws):
    """The fault is raised before anything is written."""
    before = cloud.snapshot()
    aws.fail("ssm:*", aws.timeout, times=9)
    with pytest.raises(Exception, match="ssm:GetParametersByPath"):
        invoke(reconcile, {})
    assert cloud.snapshot() == before


@pytest.mark.parametrize(
    ("call", "broken"),
    [
        ("s3:GetObject", "publish_jwks"),
        ("kms:DescribeKey", "destroy_ended_keys"),
        ("tag:GetResources", "sweep_orphans"),
    ],
)
def test_a_failing_repair_does_not_stop_the_others(
    clean, superseded, aws, cloud, clock, call, broken
):
    """All are tried; the error at the end names those that failed and says why."""
    key = truth(cloud).get(superseded)
    clock.wall = grace_until(truth(cloud), superseded) + 2 * SECOND
    aws.fail(call, aws.error("AccessDenied", 403), times=99)
    with pytest.raises(RepairFailed, match=f"{broken}: .*{call}: AccessDenied"):
        invoke(reconcile, {})
    assert truth(cloud).get(superseded).state is State.RETIRED
    state = cloud.kms.state(key.kms_key_arn)
    assert state == ("Enabled" if broken == "destroy_ended_keys" else "PendingDeletion")


def test_a_repair_names_itself_in_the_history(clean, superseded, cloud, clock):
    """Its name is the reason of the generation that it wrote."""
    clock.wall = grace_until(truth(cloud), superseded) + 2 * SECOND
    repair()
    stored = clean.keysets.read_texts()
    origins = {(g.started_by, g.reason) for g in map(document.loads, stored.values())}
    assert ("reconcile", "retire_overdue_keys") in origins


def test_a_repair_that_was_overtaken_is_no_failure(clean, superseded, aws, cloud, clock):
    """The key was revoked between the read and the write."""
    clock.wall = grace_until(truth(cloud), superseded) + 2 * SECOND
    aws.meanwhile("ssm:PutParameter", lambda: revoke_keys(clean, superseded))
    assert "retire_overdue_keys" not in repair()
    assert truth(cloud).get(superseded).state is State.REVOKED


def test_a_repair_is_announced(clean, superseded, aws):
    """An event lets a person find out why it was needed; housekeeping is no repair."""
    repaired = repair()
    events = [entry for call in aws.params("events:PutEvents") for entry in call["Entries"]]
    [drift] = [json.loads(e["Detail"]) for e in events if e["DetailType"] == "DriftRepaired"]
    assert drift["repairs"].keys() == repaired.keys() - {"record_generations"}
    assert "publish_jwks" in drift["repairs"]


@pytest.mark.parametrize(
    "admit",
    [
        lambda kms, arn: kms.set_policy(arn, "{}"),
        lambda kms, arn: kms.lend(arn, Principal("arn:aws:iam::123456789012:role/x"), "kms:Sign"),
    ],
    ids=["policy", "grant"],
)
def test_live_keys_that_admit_others_fail_the_run(booted, cloud, admit):
    """After all repairs; the error names every such key, and they stay as they are."""
    arns = [key.kms_key_arn for key in truth(cloud).keys]
    for arn in arns:
        admit(cloud.kms, arn)
    with pytest.raises(RepairFailed, match=r"^check_live_keys: .*: differs from this stack") as run:
        repair()
    assert all(arn in str(run.value) for arn in arns)
    assert all(booted.kms.describe(arn).enabled for arn in arns)
