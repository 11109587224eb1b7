"""The remedies of findings and errors, executed as they are printed."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from keyturn.aws.faults import NoReply, Throttled
from keyturn.aws.keyset.well_known import AUTHORIZATION_SERVER, JWKS, OPENID_PROVIDER
from keyturn.keyset import timing
from keyturn.keyset.cutoffs import Claim, digest_of
from keyturn.keyset.model import Keyset
from keyturn.keyset.token_revocation import cut_off
from keyturn.keyset.transitions import revoke
from keyturn.rotation.publish_jwks import project
from keyturn.rotation.record_changes import record_changes
from tests.cloud.kms import ENABLED
from tests.permissions.key_policy import default_policy
from tests.unit.cli.running import keyturn, supersede
from tests.unit.stage import active_key, settle, truth

PATH = "/keyturn/demo/keyset/"


def revoke_keys(booted, origin, *kids):
    """Revoke these keys; nothing else of an emergency happens."""
    booted.keysets.update(
        lambda keyset, now: revoke(keyset, kids, now, times=booted.times, limits=booted.limits),
        origin,
    )


@pytest.mark.remedy("no_active_key", "no_standby", "ended_key_kept")
def test_revoked_keys_are_replaced_and_destroyed(doctor, cloud, booted, origin, clock):
    """Another key signs at once and KMS lets the old ones go; ten minutes later one stands by."""
    revoke_keys(booted, origin, *(key.kid for key in truth(cloud).keys))
    fixes(doctor, "no_active_key", "ended_key_kept")
    clock.advance(601)
    fixes(doctor, "no_standby")


@pytest.mark.remedy("standby_unpublished")
def test_a_standby_is_published(doctor, booted, cloud, clock):
    """A run was interrupted before it noted the publication."""
    settle(cloud, booted, Keyset(tuple(replace(key, published=None) for key in truth(cloud).keys)))
    clock.advance(601)
    fixes(doctor, "standby_unpublished")


@pytest.mark.remedy("overdue_key")
def test_an_overdue_key_retires(doctor, booted, origin, clock):
    """The key of a workflow that was stopped in its wait retires."""
    clock.advance(60)
    supersede(booted, origin)
    clock.advance(600)
    fixes(doctor, "overdue_key")


@pytest.mark.remedy("orphaned_key")
def test_an_orphan_is_destroyed(doctor, booted, clock):
    """An orphan is destroyed hours after its creation."""
    booted.kms.create()
    clock.advance(timedelta(hours=49).total_seconds())
    fixes(doctor, "orphaned_key")


@pytest.mark.remedy("jwks_missing", "jwks_unreachable")
def test_a_missing_jwks_is_written(doctor, cloud):
    """A missing JWKS is written, and its URL answers again."""
    cloud.s3.delete(JWKS)
    fixes(doctor, "jwks_missing", "jwks_unreachable")


@pytest.mark.remedy("jwks_behind", "jwks_caching")
def test_a_jwks_that_lags_is_written(doctor, cloud):
    """A JWKS that lags, or that caches may keep for too long, is written again."""
    generation = {"keyturn-generation": "1"}
    cloud.s3.write(JWKS, cloud.s3.body(JWKS), metadata=generation, cache_control="max-age=31536000")
    fixes(doctor, "jwks_behind", "jwks_caching")


@pytest.mark.remedy("jwks_incomplete", "jwks_foreign")
def test_a_jwks_written_by_hand_is_rewritten(doctor, cloud):
    """A JWKS written by hand is rewritten, even if it names the right generation; the finding names each foreign member."""
    version = cloud.s3.objects[JWKS][-1]
    document = json.loads(version.body)
    document["keys"][0] = {**document["keys"][0], "kid": "forged"}
    cloud.s3.put(JWKS, replace(version, body=json.dumps(document).encode()))
    fixes(doctor, "jwks_incomplete", "jwks_foreign")


@pytest.mark.remedy("metadata_false")
@pytest.mark.parametrize("name", [AUTHORIZATION_SERVER, OPENID_PROVIDER])
def test_metadata_written_by_hand_is_rewritten(doctor, cloud, name):
    """Each metadata document that was written by hand is rewritten."""
    cloud.s3.write(name, b'{"issuer": "https://thief.example"}')
    fixes(doctor, "metadata_false")


@pytest.mark.remedy("jwks_ahead", "keyset_unreadable", "KeysetMissing")
@pytest.mark.parametrize("lost", [(2,), (1, 2)], ids=["deleted", "all deleted"])
def test_a_keyset_is_repaired(doctor, booted, cloud, deployment, monkeypatch, lost):
    """`keyturn repair`, as each of these says."""
    monkeypatch.setattr(deployment, "caller", lambda: "operator")
    record_changes(booted)
    cloud.ssm.delete([f"{PATH}{number:012d}" for number in lost])
    advice = doctor()
    assert advice
    assert all("`keyturn repair`" in remedy or "--fix" in remedy for remedy in advice.values())
    assert advice.keys() & {"jwks_ahead", "keyset_unreadable"}
    assert keyturn("repair", "--yes").exit_code == 0
    assert doctor() == {}


@pytest.mark.remedy("active_key_disabled", "standby_key_disabled", "grace_key_disabled")
@pytest.mark.parametrize("state", ["active", "standby", "grace"])
def test_a_disabled_key_is_enabled_again(doctor, booted, origin, cloud, clock, state):
    """The commands of the remedy; deletion is cancelled first where it was scheduled."""
    if state == "grace":
        clock.advance(30)
        supersede(booted, origin)
        project(booted, origin)
    before = doctor().keys()
    key = next(key for key in truth(cloud).keys if key.state == state)
    cloud.kms.disable(key.kms_key_arn)
    assert f"enable-key --key-id {key.kms_key_arn}" in doctor()[f"{state}_key_disabled"]
    cloud.kms.schedule_deletion(key.kms_key_arn, 7)
    remedy = doctor()[f"{state}_key_disabled"]
    assert f"cancel-key-deletion --key-id {key.kms_key_arn}" in remedy
    cloud.kms.cancel_deletion(key.kms_key_arn)
    cloud.kms.become(key.kms_key_arn, ENABLED)
    assert doctor().keys() == before


@pytest.mark.remedy("foreign_key")
def test_a_key_that_was_opened_is_revoked(doctor, booted, origin, cloud):
    """The key is revoked, and its successor has the stack's own policy."""
    opened = active_key(truth(cloud))
    cloud.kms.set_policy(opened.kms_key_arn, default_policy())
    assert f"`keyturn revoke {opened.kid}`" in doctor()["foreign_key"]
    revoke_keys(booted, origin, opened.kid)
    assert active_key(truth(cloud)).kid != opened.kid
    assert "foreign_key" not in doctor()


@pytest.mark.remedy("schedule_disabled", "schedule_missing")
def test_schedules_start_again(doctor, clients):
    """`--fix` enables a disabled schedule and creates a deleted one as template.yaml has it."""
    before = clients.scheduler.schedules.pop("demo-reconcile")
    clients.scheduler.schedules["demo-rotation"]["State"] = "DISABLED"
    assert doctor().keys() == {"schedule_missing", "schedule_disabled"}
    assert doctor("--fix").keys() == {"schedule_missing"}
    clients.scheduler.create_schedule(**before)
    assert doctor() == {}


@pytest.mark.remedy("foreign_history")
def test_what_others_put_into_the_history_is_deleted(doctor, cloud):
    """A foreign object is kept elsewhere and then deleted, as the runbook says."""
    cloud.s3.write("history/x", b"{}")
    assert "docs/runbooks/foreign-history.md" in doctor()["foreign_history"]
    cloud.s3.delete("history/x")
    assert doctor() == {}


def block(booted, origin, names, *, block=True):
    """Block so many clients, or cut them off."""
    now = booted.clock.now()
    requested = [(Claim.CLIENT, digest_of(name)) for name in names]
    options = {"times": booted.times, "limits": booted.limits, "block": block}
    before = timing.cutoff_before(now, booted.times)
    booted.keysets.update(
        lambda keyset, now: cut_off(keyset, requested, now, before=before, **options), origin
    )


@pytest.mark.remedy("cutoffs_nearly_full")
def test_room_for_cutoffs_comes_back(doctor, booted, origin, clock):
    """There is room again at the instant that the remedy names, without any action."""
    block(booted, origin, [f"client-{number}" for number in range(54)], block=False)
    code = "cutoffs_nearly_full"
    assert code not in doctor()
    clock.advance(60)
    block(booted, origin, ["client-54"])
    at = re.search(r"Wait until ([\d-]+ [\d:]+Z)", doctor()[code])
    assert at
    clock.advance((datetime.fromisoformat(at[1]) - clock.now()).total_seconds())
    assert code in doctor()
    clock.advance(1)
    assert code not in doctor()


@pytest.mark.remedy("cutoffs_nearly_full")
def test_blocks_are_released_for_room(doctor, booted, origin, clock, deployment, monkeypatch):
    """A block does not end by itself; once released it does."""
    monkeypatch.setattr(deployment, "caller", lambda: "operator")
    block(booted, origin, [f"client-{number}" for number in range(55)])
    assert "`keyturn client release NAME`" in doctor()["cutoffs_nearly_full"]
    clock.advance(60)
    released = keyturn("client", "release", "client-7", "--reason", "x", "--direct", "--yes")
    assert released.exit_code == 0, released.output
    assert "Wait until" in doctor()["cutoffs_nearly_full"]
    clock.advance(timedelta(hours=2).total_seconds())
    assert "cutoffs_nearly_full" not in doctor()


@pytest.mark.remedy("Throttled", "NoReply")
@pytest.mark.parametrize("kind", [Throttled, NoReply])
def test_trying_again_succeeds(deployment, aws, kind):
    """The command succeeds as soon as AWS answers."""
    error = aws.error("ThrottlingException") if kind is Throttled else aws.timeout
    failing = aws.fail("ssm:*", error, times=99)
    result = keyturn("status")
    assert (result.exit_code, "try again" in result.stderr) == (1, True)
    failing.end()
    assert keyturn("status").exit_code == 0


def fixes(doctor: Callable[..., dict[str, str]], *codes: str) -> None:
    """Insist that these are found, that `--fix` is their remedy, and that it is one."""
    advice = doctor()
    assert advice.keys() >= set(codes)
    assert all("`keyturn doctor --fix`" in advice[code] for code in codes)
    assert doctor("--fix").keys().isdisjoint(codes)
