"""Reconcile: each thing that an interrupted run can leave behind is put right, and nothing else."""

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

BUCKET = "keyturn-demo"
SECOND = timedelta(seconds=1)


def repair():
    """Let the function run once; returns what it repaired, by name."""
    outcome = invoke(reconcile, {})
    assert outcome.pop("outcome") == "reconciled"
    return outcome


@pytest.fixture
def clean(booted, aws):
    """A booted stack, reconciled: every generation is in the history, too."""
    repair()
    aws.reset()
    return booted


@pytest.fixture
def superseded(clean, stack, cloud, clock):
    """A stack whose first key has just gone into grace, with its JWKS; returns that key's kid."""
    clock.advance(60)
    return supersede(clean, cloud).kid


def test_a_clean_stack_is_left_alone(clean, cloud, aws):
    """Nothing is repaired, and no write has any effect."""
    before = cloud.snapshot()
    assert repair() == {}
    assert cloud.snapshot() == before
    reads = ("ssm:Get", "tag:Get", "s3:Get", "s3:List", "kms:Describe", "kms:Get", "kms:List")
    assert [call for call in aws.operations if not call.startswith(reads)] == []


def test_a_lagging_jwks_is_brought_up_to_the_truth(clean, superseded, cloud):
    """As after a crash between ActivateKey and PublishJwks."""
    number = clean.keysets.read().number
    assert clean.well_known.read().generation < number
    assert repair()["publish_jwks"] == number
    seen = clean.well_known.read()
    assert (seen.generation, set(seen.keys)) == (number, {key.kid for key in truth(cloud).keys})


def test_a_missing_jwks_is_written(clean, cloud):
    """Somebody deleted the object."""
    cloud.s3.delete(JWKS)
    assert "publish_jwks" in repair()
    assert set(clean.well_known.read().keys) == {key.kid for key in truth(cloud).keys}


def test_an_overdue_key_is_retired(clean, superseded, cloud, clock):
    """Only after verify_until + ε, and then it is destroyed and gone from the JWKS in the same run."""
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
    """At once: nobody signs, so nobody has to be waited for."""
    standby = standby_key(truth(cloud))
    settle(cloud, clean, Keyset((standby,), truth(cloud).ended))
    assert repair()["restore_active_key"] == standby.kid
    assert active_key(truth(cloud)).kid == standby.kid


def test_without_any_key_a_new_one_signs(clean, cloud, stack):
    """Active and standby were both revoked: a key is created, activated and shown."""
    change(
        stack,
        revoke,
        [active_key(truth(cloud)).kid, standby_key(truth(cloud)).kid],
        times=clean.times,
        limits=clean.limits,
    )
    made = repair()["restore_active_key"]
    assert active_key(truth(cloud)).kid == made
    assert set(clean.well_known.read().keys) == {made}


def test_a_founded_keyset_is_left_to_its_first_run(founded, cloud, clock):
    """For ten minutes the deployment makes its keys itself; then a failed one is helped out."""
    clock.advance(600 - 1)
    assert "restore_active_key" not in repair()
    assert not truth(cloud).keys
    clock.advance(1)
    assert repair()["restore_active_key"] == active_key(truth(cloud)).kid


def test_a_missing_standby_is_created_when_nobody_else_is_about_to(clean, cloud, stack, clock):
    """Ten minutes after the last change no run is at work any more; before that one may be."""
    change(stack, revoke, [standby_key(truth(cloud)).kid], times=clean.times, limits=clean.limits)
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
    """As after a crash before DestroyKey; disabled keys, too, get their end scheduled."""
    arn = truth(cloud).get(superseded).kms_key_arn
    clock.advance(60)
    kid = superseded if transition is retire else [superseded]
    change(stack, transition, kid, times=clean.times, limits=clean.limits)
    assert repair()["destroy_ended_keys"] == [superseded]
    assert cloud.kms.state(arn) == "PendingDeletion"
    assert "destroy_ended_keys" not in repair()


def test_a_key_that_was_only_disabled_is_scheduled_for_deletion(clean, stack, cloud):
    """An emergency disables first; its end may be missing."""
    standby = standby_key(truth(cloud))
    change(stack, revoke, [standby.kid], times=clean.times, limits=clean.limits)
    cloud.kms.disable(standby.kms_key_arn)
    assert repair()["destroy_ended_keys"] == [standby.kid]
    assert clean.kms.describe(standby.kms_key_arn).pending_deletion


def test_live_keys_are_never_destroyed(clean, superseded, cloud, clock):
    """Active, standby and grace keys stay enabled through any number of runs."""
    for _ in range(3):
        clock.advance(5)
        repair()
    assert truth(cloud).get(superseded).state is State.GRACE
    assert all(clean.kms.describe(key.kms_key_arn).enabled for key in truth(cloud).keys)


def test_a_missing_truth_comes_back_first(clean, cloud):
    """Every key would look like an orphan otherwise: the history has what SSM has lost."""
    before = cloud.snapshot()
    for name in before["parameters"]:
        cloud.ssm.delete([name])
    assert invoke(reconcile, {})["restore_generations"]
    assert cloud.snapshot()["keys"] == before["keys"]
    newest = max(before["parameters"])
    assert cloud.snapshot()["parameters"][newest] == before["parameters"][newest]


def test_a_missing_truth_that_nobody_recorded_is_no_reason_to_act(clean, cloud, aws):
    """Nothing is touched."""
    for name in cloud.snapshot()["parameters"]:
        cloud.ssm.delete([name])
    for name in cloud.snapshot()["objects"]:
        if name.startswith("history/"):
            cloud.s3.delete(name)
    before = cloud.snapshot()
    with pytest.raises(KeysetMissing):
        invoke(reconcile, {})
    assert cloud.snapshot() == before


def test_an_unreadable_truth_is_no_reason_to_act(clean, cloud, aws, clock):
    """A newer release's document stops an older release's repairs."""
    clean.kms.create()
    clock.advance(timedelta(days=3).total_seconds())
    parent = document.digest(clean.keysets.read().text)
    cloud.ssm.put("/keyturn/demo/keyset/000000000003", json.dumps({"schema": 2, "parent": parent}))
    before = cloud.snapshot()
    with pytest.raises(DocumentInvalid, match="000000000003"):
        invoke(reconcile, {})
    assert cloud.snapshot() == before


def test_ssm_down_is_no_reason_to_act(clean, cloud, aws):
    """The fault is raised before anything is done."""
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


def test_a_repair_says_in_the_history_what_it_is(clean, superseded, cloud, clock):
    """Its name is the reason of the generation it wrote."""
    clock.wall = grace_until(truth(cloud), superseded) + 2 * SECOND
    repair()
    stored = clean.keysets.read_texts()
    origins = {
        (g.started_by, g.reason) for g in (document.loads(text) for number, text in stored.items())
    }
    assert ("reconcile", "retire_overdue_keys") in origins


def test_a_repair_that_was_overtaken_is_no_failure(clean, superseded, stack, aws, cloud, clock):
    """The workflow retired the key between the look and the write."""
    clock.wall = grace_until(truth(cloud), superseded) + 2 * SECOND
    aws.meanwhile(
        "ssm:PutParameter",
        lambda: change(stack, revoke, [superseded], times=clean.times, limits=clean.limits),
    )
    assert "retire_overdue_keys" not in repair()
    assert truth(cloud).get(superseded).state is State.REVOKED


def test_a_repair_is_told(clean, superseded, aws):
    """Somebody may want to know why it was needed; housekeeping is no repair."""
    repaired = repair()
    told = [entry for call in aws.params("events:PutEvents") for entry in call["Entries"]]
    [drift] = [json.loads(e["Detail"]) for e in told if e["DetailType"] == "DriftRepaired"]
    assert drift["repairs"].keys() == repaired.keys() - {"record_generations"}
    assert "publish_jwks" in drift["repairs"]


@pytest.mark.parametrize("state", ["active", "standby"])
def test_a_live_key_that_was_opened_fails_the_run(booted, cloud, state):
    """After all repairs; its ARN is said, and KMS keeps it as it is."""
    key = getattr(truth(cloud), state)
    cloud.kms.set_policy(key.kms_key_arn, "{}")
    with pytest.raises(
        RepairFailed, match=f"^check_live_keys: {key.kms_key_arn}: differs from this stack"
    ):
        repair()
    assert booted.kms.describe(key.kms_key_arn).enabled


def test_each_live_key_that_was_lent_is_named(booted, cloud):
    """One does not hide another."""
    arns = [key.kms_key_arn for key in truth(cloud).keys]
    for arn in arns:
        cloud.kms.lend(arn, Principal("arn:aws:iam::123456789012:role/x"), "kms:Sign")
    with pytest.raises(RepairFailed) as failure:
        repair()
    assert all(arn in str(failure.value) for arn in arns)
