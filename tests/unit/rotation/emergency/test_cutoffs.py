"""Cut-offs in an emergency: one write with the keys, stronger when it was slow, forgotten in time."""

import json
from datetime import timedelta

import pytest

from keyturn.aws.events import InvalidEvent
from keyturn.keyset import timing
from keyturn.keyset.cutoffs import Claim, digest_of
from keyturn.rotation import reconcile, record_changes, revoke_keys
from keyturn.rotation.conclude_emergency import EmergencyIncomplete
from keyturn.rotation.task import rfc3339
from tests.unit.rotation.emergency.paths import EMERGENCY
from tests.unit.stage import active_key, client_cutoff, invoke, truth

ORDERS, ANN = digest_of("orders"), digest_of("ann")
PLAN = {"op_id": "op-1", "reason": "host broken into"}


def cut(booted, at=None, **request):
    """RevokeKeys, as the state machine calls it in an emergency."""
    plan = {**PLAN, "at": rfc3339(at or booted.clock.now())}
    return invoke(revoke_keys, {"started_by": "ann", "plan": plan, **request})


def named(keyset):
    """What is cut off: claims with digests."""
    return {(cutoff.claim, cutoff.digest) for cutoff in keyset.cutoffs}


def test_an_execution_without_kids_cuts_off_tokens_only(booted, start, cloud):
    """It goes through every state of an emergency, and no key changes."""
    keys = truth(cloud).keys
    run = start("emergency", cut_off={"client_id": [ORDERS], "sub": [ANN]}, reason="broken into")
    assert run.finish() == "Revoked"
    assert run.visited == EMERGENCY
    assert named(truth(cloud)) == {(Claim.CLIENT, ORDERS), (Claim.SUBJECT, ANN)}
    assert truth(cloud).keys == keys


def test_keys_and_cutoffs_are_one_write(booted, cloud):
    """What is asked for together comes together."""
    number, active = booted.keysets.read().number, active_key(truth(cloud)).kid
    outcome = cut(booted, kids=[active], cut_off={"jti": [ANN]}, block=[ORDERS])
    assert outcome["generation"] == number + 1
    assert outcome["ended"] == [active]
    assert named(truth(cloud)) == {(Claim.TOKEN, ANN), (Claim.CLIENT, ORDERS)}
    assert client_cutoff(truth(cloud), ORDERS).is_block


def test_a_released_client_stays_cut_off_until_then(booted, cloud):
    """What was issued before its release is refused for as long as it can be alive."""
    cut(booted, block=[ORDERS])
    cut(booted, release=[ORDERS])
    cutoff = client_cutoff(truth(cloud), ORDERS)
    assert not cutoff.is_block
    assert cutoff.refuses(booted.clock.now().timestamp())


def test_it_counts_from_the_plan_however_late_it_is_written(booted, cloud, clock):
    """Whatever was issued until then is hit; a step that runs again later hits nothing more (S15)."""
    at = clock.now()
    clock.advance(3)
    cut(booted, cut_off={"client_id": [ORDERS]}, at=at)
    once = truth(cloud).cutoffs
    assert once[0].before == timing.cutoff_before(at, booted.times)
    number = booted.keysets.read().number
    clock.advance(600)
    cut(booted, cut_off={"client_id": [ORDERS]}, at=at)
    assert truth(cloud).cutoffs == once
    assert booted.keysets.read().number == number


def test_a_release_that_runs_again_releases_no_later_block(booted, cloud, clock):
    """The same step, two periods later: somebody has blocked the client again since."""
    at = clock.now()
    cut(booted, block=[ORDERS])
    cut(booted, release=[ORDERS], at=at)
    clock.advance(600)
    cut(booted, block=[ORDERS])
    assert cut(booted, release=[ORDERS], at=at)["outcome"] == "overtaken"
    assert client_cutoff(truth(cloud), ORDERS).is_block


def test_a_release_that_overtakes_its_block_is_told(booted, cloud, clock):
    """The block is still being written: the release is refused, and counts once it is ordered again."""
    at = clock.now()
    clock.advance(30)
    outcome = cut(booted, release=[ORDERS])
    assert (outcome["outcome"], "then release the client" in outcome["reason"]) == (
        "overtaken",
        True,
    )
    cut(booted, block=[ORDERS], at=at)
    assert client_cutoff(truth(cloud), ORDERS).is_block
    assert cut(booted, release=[ORDERS])["outcome"] == "revoked"
    assert cut(booted, block=[ORDERS], at=at)["outcome"] == "overtaken"
    assert not client_cutoff(truth(cloud), ORDERS).is_block


def test_a_block_behind_a_later_cut_off_is_not_taken_for_done(booted, cloud, clock):
    """The client was cut off while the block was on its way: that is no release, but looks like one."""
    at = clock.now()
    clock.advance(2)
    cut(booted, cut_off={"client_id": [ORDERS]})
    active = active_key(truth(cloud)).kid
    outcome = cut(booted, kids=[active], block=[ORDERS], at=at)
    assert outcome["outcome"] == "overtaken"
    assert "order again" in outcome["reason"]
    assert not client_cutoff(truth(cloud), ORDERS).is_block
    assert active_key(truth(cloud)).kid != active


@pytest.mark.parametrize("later", [0, 100_000])
def test_a_block_that_runs_again_blocks_no_released_client(booted, cloud, clock, later):
    """Also when its cut-off has ended meanwhile, and nothing remembers it."""
    at = clock.now()
    cut(booted, block=[ORDERS], at=at)
    clock.advance(60)
    cut(booted, release=[ORDERS])
    clock.advance(later)
    invoke(reconcile, {})
    assert cut(booted, block=[ORDERS], at=at)["outcome"] == "overtaken"
    assert not any(cutoff.is_block for cutoff in truth(cloud).cutoffs)


def test_keys_are_revoked_although_the_cutoffs_do_not_fit(booted, cloud):
    """A revocation always finds room; the refusal says what to do instead."""
    active = active_key(truth(cloud)).kid
    many = [digest_of(str(number)) for number in range(58)]
    cut(booted, cut_off={"sub": many})
    more = [digest_of(f"c{number}") for number in range(10)]
    outcome = cut(booted, kids=[active], cut_off={"client_id": more})
    assert outcome["outcome"] == "overtaken"
    assert "revoke the signing keys" in outcome["reason"]
    assert active_key(truth(cloud)).kid != active
    assert len(truth(cloud).cutoffs) == 58


def test_an_order_that_is_refused_fails_its_execution(booted, start, cloud):
    """So that the alarm ExecutionFailed fires and the command ends with an error."""
    cut(booted, cut_off={"sub": [digest_of(str(number)) for number in range(59)]})
    run = start("emergency", cut_off={"jti": [ANN]}, reason="broken into")
    assert run.finish() == "failed"
    assert isinstance(run.error, EmergencyIncomplete)
    assert str(run.error).startswith("revocation failed: 1 more cut-offs do not fit")


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        ({}, "kids: empty, and so are"),
        ({"cut_off": {}}, "kids: empty, and so are"),
        ({"cut_off": {"sub": []}}, "kids: empty, and so are"),
        ({"cut_off": {"kid": [ORDERS]}}, "cut_off.kid"),
        ({"cut_off": {"sub": ["ann"]}}, "cut_off.sub.0"),
        ({"cut_off": {"sub": [ORDERS] * 61}}, "cut_off.sub"),
        ({"block": "orders"}, "block"),
        ({"release": ["orders"]}, "release.0"),
    ],
)
def test_a_request_that_is_not_understood(booted, start, cloud, request_, named):
    """Nothing is written, and the error names the member."""
    before = cloud.snapshot()
    run = start("emergency", reason="broken into", **request_)
    assert run.finish() == "failed"
    assert isinstance(run.error, InvalidEvent)
    assert str(run.error).startswith(named)
    assert cloud.snapshot() == before


def test_each_cutoff_is_announced(booted, aws):
    """Listeners hear which claim, and until when; no name of a subject goes on the bus."""
    invoke(record_changes, {})
    aws.reset()
    cut(booted, cut_off={"sub": [ANN]}, block=[ORDERS])
    invoke(record_changes, {})
    entries = [entry for call in aws.params("events:PutEvents") for entry in call["Entries"]]
    details = {
        json.loads(entry["Detail"])["digest"]: json.loads(entry["Detail"]) for entry in entries
    }
    assert {entry["DetailType"] for entry in entries} == {"TokensRevoked"}
    assert details[ANN]["claim"] == "sub"
    assert details[ANN]["until"] > details[ANN]["issued_before"]
    assert details[ORDERS]["until"] is None


def test_reconcile_measures_how_full_it_is(booted, printed, monkeypatch):
    """While there are cut-offs: how many stand, and how many more fit; without any, nothing to pay for."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "reconcile")
    invoke(reconcile, {})
    assert not measured(printed())
    cut(booted, cut_off={"sub": [digest_of(str(number)) for number in range(55)]})
    invoke(reconcile, {})
    assert measured(printed()) == {"CutOffs": 55, "CutOffRoom": 4}
    assert (
        cut(booted, cut_off={"jti": [digest_of(str(number)) for number in range(4)]})["ended"] == []
    )
    assert cut(booted, cut_off={"jti": [ANN]})["outcome"] == "overtaken"


def measured(text):
    """The metrics of cut-offs among these lines."""
    lines = [json.loads(line) for line in text.splitlines() if "_aws" in line]
    return {name: line[name] for line in lines for name in line if name.startswith("CutOff")}


def test_reconcile_forgets_what_is_over(booted, cloud, clock, aws):
    """No earlier than when the last token is dead. Nothing drifted, so nobody is told of a repair."""
    cut(booted, cut_off={"client_id": [ORDERS]})
    until = truth(cloud).cutoffs[0].until
    clock.advance((until - clock.now()).total_seconds())
    invoke(reconcile, {})
    assert named(truth(cloud)) == {(Claim.CLIENT, ORDERS)}
    clock.advance(timedelta(seconds=1).total_seconds())
    aws.reset()
    repairs = invoke(reconcile, {})
    assert repairs["forget_cutoffs"] == 1
    assert "publish_jwks" not in repairs
    assert truth(cloud).cutoffs == ()
    assert booted.well_known.read().generation == booted.keysets.read().number
    entries = [entry for call in aws.params("events:PutEvents") for entry in call["Entries"]]
    assert "DriftRepaired" not in {entry["DetailType"] for entry in entries}
