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
from tests.unit.stage import invoke

ORDERS, ANN = digest_of("orders"), digest_of("ann")
PLAN = {"op_id": "op-1", "reason": "host broken into"}


@pytest.fixture
def cut(booted):
    """RevokeKeys, as the state machine calls it in an emergency."""

    def cut(at=None, **request):
        plan = {**PLAN, "at": rfc3339(at or booted.clock.now())}
        return invoke(revoke_keys, {"started_by": "ann", "plan": plan, **request})

    return cut


def named(keyset):
    """What is cut off: claims with digests."""
    return {(cutoff.claim, cutoff.digest) for cutoff in keyset.cutoffs}


def test_an_execution_without_kids_cuts_off_tokens_only(booted, start, truth):
    """It goes through every state of an emergency, and no key changes."""
    keys = truth().keys
    run = start("emergency", cut_off={"client_id": [ORDERS], "sub": [ANN]}, reason="broken into")
    assert run.finish() == "Revoked"
    assert run.visited == EMERGENCY
    assert named(truth()) == {(Claim.CLIENT, ORDERS), (Claim.SUBJECT, ANN)}
    assert truth().keys == keys


def test_keys_and_cutoffs_are_one_write(booted, cut, truth):
    """What is asked for together comes together."""
    number, active = booted.keysets.read().number, truth().active.kid
    outcome = cut(kids=[active], cut_off={"jti": [ANN]}, block=[ORDERS])
    assert outcome["generation"] == number + 1
    assert outcome["ended"] == [active]
    assert named(truth()) == {(Claim.TOKEN, ANN), (Claim.CLIENT, ORDERS)}
    assert truth().cutoff(Claim.CLIENT, ORDERS).is_block


def test_a_released_client_stays_cut_off_until_then(booted, cut, truth):
    """What was issued before its release is refused for as long as it can be alive."""
    cut(block=[ORDERS])
    cut(release=[ORDERS])
    cutoff = truth().cutoff(Claim.CLIENT, ORDERS)
    assert not cutoff.is_block
    assert cutoff.refuses(booted.clock.now().timestamp())


def test_it_counts_from_the_plan_however_late_it_is_written(booted, cut, truth, clock):
    """Whatever was issued until then is hit; a step that runs again later hits nothing more (S15)."""
    at = clock.now()
    clock.advance(3)
    cut(cut_off={"client_id": [ORDERS]}, at=at)
    once = truth().cutoffs
    assert once[0].before == timing.cutoff_before(at, booted.times)
    number = booted.keysets.read().number
    clock.advance(600)
    cut(cut_off={"client_id": [ORDERS]}, at=at)
    assert truth().cutoffs == once
    assert booted.keysets.read().number == number


def test_a_release_that_runs_again_releases_no_later_block(booted, cut, truth, clock):
    """The same step, two periods later: somebody has blocked the client again since."""
    at = clock.now()
    cut(block=[ORDERS])
    cut(release=[ORDERS], at=at)
    clock.advance(600)
    cut(block=[ORDERS])
    assert cut(release=[ORDERS], at=at)["outcome"] == "overtaken"
    assert truth().cutoff(Claim.CLIENT, ORDERS).is_block


def test_a_release_that_overtakes_its_block_is_told(booted, cut, truth, clock):
    """The block is still being written: the release is refused, and counts once it is ordered again."""
    at = clock.now()
    clock.advance(30)
    outcome = cut(release=[ORDERS])
    assert (outcome["outcome"], "then release the client" in outcome["why"]) == ("overtaken", True)
    cut(block=[ORDERS], at=at)
    assert truth().cutoff(Claim.CLIENT, ORDERS).is_block
    assert cut(release=[ORDERS])["outcome"] == "revoked"
    assert cut(block=[ORDERS], at=at)["outcome"] == "overtaken"
    assert not truth().cutoff(Claim.CLIENT, ORDERS).is_block


def test_a_block_behind_a_later_cut_off_is_not_taken_for_done(booted, cut, truth, clock):
    """The client was cut off while the block was on its way: that is no release, but looks like one."""
    at = clock.now()
    clock.advance(2)
    cut(cut_off={"client_id": [ORDERS]})
    active = truth().active.kid
    outcome = cut(kids=[active], block=[ORDERS], at=at)
    assert outcome["outcome"] == "overtaken"
    assert "order again" in outcome["why"]
    assert not truth().cutoff(Claim.CLIENT, ORDERS).is_block
    assert truth().active.kid != active


@pytest.mark.parametrize("later", [0, 100_000])
def test_a_block_that_runs_again_blocks_no_released_client(booted, cut, truth, clock, later):
    """Also when its cut-off has ended meanwhile, and nothing remembers it."""
    at = clock.now()
    cut(block=[ORDERS], at=at)
    clock.advance(60)
    cut(release=[ORDERS])
    clock.advance(later)
    invoke(reconcile, {})
    assert cut(block=[ORDERS], at=at)["outcome"] == "overtaken"
    assert not any(cutoff.is_block for cutoff in truth().cutoffs)


def test_keys_are_revoked_although_the_cutoffs_do_not_fit(booted, cut, truth):
    """A revocation always finds room; the refusal says what to do instead."""
    active = truth().active.kid
    many = [digest_of(str(number)) for number in range(58)]
    cut(cut_off={"sub": many})
    more = [digest_of(f"c{number}") for number in range(10)]
    outcome = cut(kids=[active], cut_off={"client_id": more})
    assert outcome["outcome"] == "overtaken"
    assert "revoke the signing keys" in outcome["why"]
    assert truth().active.kid != active
    assert len(truth().cutoffs) == 58


def test_an_order_that_is_refused_fails_its_execution(booted, cut, start, truth):
    """So that the alarm ExecutionFailed fires and the command ends with an error."""
    cut(cut_off={"sub": [digest_of(str(number)) for number in range(59)]})
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


def test_each_cutoff_is_announced(booted, cut, aws):
    """Listeners hear which claim, and until when; no name of a subject goes on the bus."""
    invoke(record_changes, {})
    aws.reset()
    cut(cut_off={"sub": [ANN]}, block=[ORDERS])
    invoke(record_changes, {})
    entries = [entry for call in aws.params("events:PutEvents") for entry in call["Entries"]]
    details = {
        json.loads(entry["Detail"])["digest"]: json.loads(entry["Detail"]) for entry in entries
    }
    assert {entry["DetailType"] for entry in entries} == {"TokensRevoked"}
    assert details[ANN]["claim"] == "sub"
    assert details[ANN]["until"] > details[ANN]["issued_before"]
    assert details[ORDERS]["until"] is None


def test_reconcile_measures_how_full_it_is(booted, cut, printed, monkeypatch):
    """While there are cut-offs: how many stand, and how many more fit; without any, nothing to pay for."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "reconcile")
    invoke(reconcile, {})
    assert not measured(printed())
    cut(cut_off={"sub": [digest_of(str(number)) for number in range(55)]})
    invoke(reconcile, {})
    assert measured(printed()) == {"CutOffs": 55, "CutOffRoom": 4}
    assert cut(cut_off={"jti": [digest_of(str(number)) for number in range(4)]})["ended"] == []
    assert cut(cut_off={"jti": [ANN]})["outcome"] == "overtaken"


def measured(text):
    """The metrics of cut-offs among these lines."""
    lines = [json.loads(line) for line in text.splitlines() if "_aws" in line]
    return {name: line[name] for line in lines for name in line if name.startswith("CutOff")}


def test_reconcile_forgets_what_is_over(booted, cut, truth, clock, aws):
    """No earlier than when the last token is dead. Nothing drifted, so nobody is told of a repair."""
    cut(cut_off={"client_id": [ORDERS]})
    until = truth().cutoffs[0].until
    clock.advance((until - clock.now()).total_seconds())
    invoke(reconcile, {})
    assert named(truth()) == {(Claim.CLIENT, ORDERS)}
    clock.advance(timedelta(seconds=1).total_seconds())
    aws.reset()
    repairs = invoke(reconcile, {})
    assert repairs["forget_cutoffs"] == 1
    assert "publish_jwks" not in repairs
    assert truth().cutoffs == ()
    assert booted.well_known.read().generation == booted.keysets.read().number
    entries = [entry for call in aws.params("events:PutEvents") for entry in call["Entries"]]
    assert "DriftRepaired" not in {entry["DetailType"] for entry in entries}
