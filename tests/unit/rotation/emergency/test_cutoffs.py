"""Cut-offs in an emergency: one write with the keys, counted from the plan, forgotten in time."""

import json

import pytest

from keyturn.keyset import timing
from keyturn.keyset.cutoffs import Claim, digest_of
from keyturn.rotation import reconcile, record_changes, revoke_keys
from keyturn.rotation.conclude_emergency import EmergencyIncomplete
from keyturn.rotation.task import rfc3339
from tests.unit.rotation.emergency.paths import EMERGENCY
from tests.unit.stage import active_kid, client_cutoff, invoke, truth

ORDERS, ANN = digest_of("orders"), digest_of("ann")


def digests(count: int, prefix: str = "") -> list[str]:
    """The digests of so many values."""
    return [digest_of(f"{prefix}{number}") for number in range(count)]


def revoke(stack, at=None, **request):
    """RevokeKeys, as the state machine calls it in an emergency that was planned at `at`."""
    at = rfc3339(at or stack.clock.now())
    plan = {"op_id": "op-1", "reason": "host broken into", "at": at}
    return invoke(revoke_keys, {"started_by": "ann", "plan": plan, **request})


def cut_off_claims(cloud):
    """The claims that are cut off, with their digests."""
    return {(cutoff.claim, cutoff.digest) for cutoff in truth(cloud).cutoffs}


def test_an_execution_without_kids_cuts_off_tokens_only(booted, start, cloud):
    """It goes through every state of an emergency, and no key changes."""
    keys = truth(cloud).keys
    run = start("emergency", cut_off={"client_id": [ORDERS], "sub": [ANN]}, reason="broken into")
    assert run.finish() == "Revoked"
    assert run.visited == EMERGENCY
    assert cut_off_claims(cloud) == {(Claim.CLIENT, ORDERS), (Claim.SUBJECT, ANN)}
    assert truth(cloud).keys == keys


def test_keys_and_cutoffs_are_one_write(booted, cloud):
    """What is requested together is written as one generation."""
    number, active = booted.keysets.read().number, active_kid(cloud)
    outcome = revoke(booted, kids=[active], cut_off={"jti": [ANN]}, block=[ORDERS])
    assert outcome["generation"] == number + 1
    assert outcome["ended"] == [active]
    assert cut_off_claims(cloud) == {(Claim.TOKEN, ANN), (Claim.CLIENT, ORDERS)}
    assert client_cutoff(truth(cloud), ORDERS).is_block


def test_a_released_client_stays_cut_off(booted, cloud):
    """Tokens issued before the release are refused for as long as they can live."""
    revoke(booted, block=[ORDERS])
    revoke(booted, release=[ORDERS])
    cutoff = client_cutoff(truth(cloud), ORDERS)
    assert not cutoff.is_block
    assert cutoff.refuses(booted.clock.now().timestamp())


def test_a_cutoff_counts_from_the_plan(booted, cloud, clock):
    """However late it is written; a step that runs again later refuses no newer tokens (S15)."""
    at = clock.now()
    clock.advance(3)
    revoke(booted, cut_off={"client_id": [ORDERS]}, at=at)
    cutoffs, number = truth(cloud).cutoffs, booted.keysets.read().number
    assert cutoffs[0].before == timing.cutoff_before(at, booted.times)
    clock.advance(600)
    revoke(booted, cut_off={"client_id": [ORDERS]}, at=at)
    assert (truth(cloud).cutoffs, booted.keysets.read().number) == (cutoffs, number)


def test_a_repeated_release_does_not_lift_a_later_block(booted, cloud, clock):
    """The step runs again after the client has been blocked anew."""
    at = clock.now()
    revoke(booted, block=[ORDERS])
    revoke(booted, release=[ORDERS], at=at)
    clock.advance(600)
    revoke(booted, block=[ORDERS])
    assert revoke(booted, release=[ORDERS], at=at)["outcome"] == "overtaken"
    assert client_cutoff(truth(cloud), ORDERS).is_block


def test_a_release_that_overtakes_its_block_is_refused(booted, cloud, clock):
    """The block is still being written: the release must be ordered again; the keys still go."""
    at, active = clock.now(), active_kid(cloud)
    clock.advance(30)
    outcome = revoke(booted, kids=[active], release=[ORDERS])
    assert outcome["outcome"] == "overtaken"
    assert "then release the client" in outcome["reason"]
    assert active_kid(cloud) != active
    revoke(booted, block=[ORDERS], at=at)
    assert client_cutoff(truth(cloud), ORDERS).is_block
    assert revoke(booted, release=[ORDERS])["outcome"] == "revoked"
    assert revoke(booted, block=[ORDERS], at=at)["outcome"] == "overtaken"
    assert not client_cutoff(truth(cloud), ORDERS).is_block


def test_a_block_after_a_later_cutoff_is_refused(booted, cloud, clock):
    """A client that was cut off while the block was under way looks released; the keys still go."""
    at = clock.now()
    clock.advance(2)
    revoke(booted, cut_off={"client_id": [ORDERS]})
    active = active_kid(cloud)
    outcome = revoke(booted, kids=[active], block=[ORDERS], at=at)
    assert outcome["outcome"] == "overtaken"
    assert "order again" in outcome["reason"]
    assert not client_cutoff(truth(cloud), ORDERS).is_block
    assert active_kid(cloud) != active


@pytest.mark.parametrize("later", [0, 100_000])
def test_a_repeated_block_does_not_block_a_released_client(booted, cloud, clock, later):
    """Nor when its cut-off has expired meanwhile and has been forgotten."""
    at = clock.now()
    revoke(booted, block=[ORDERS], at=at)
    clock.advance(60)
    revoke(booted, release=[ORDERS])
    clock.advance(later)
    invoke(reconcile, {})
    assert revoke(booted, block=[ORDERS], at=at)["outcome"] == "overtaken"
    assert not any(cutoff.is_block for cutoff in truth(cloud).cutoffs)


def test_keys_are_revoked_although_the_cutoffs_do_not_fit(booted, cloud):
    """A revocation always finds room; the refusal says what to do instead."""
    active = active_kid(cloud)
    revoke(booted, cut_off={"sub": digests(58)})
    outcome = revoke(booted, kids=[active], cut_off={"client_id": digests(10, "c")})
    assert outcome["outcome"] == "overtaken"
    assert "revoke the signing keys" in outcome["reason"]
    assert active_kid(cloud) != active
    assert len(truth(cloud).cutoffs) == 58


def test_a_refused_request_fails_its_execution(booted, start):
    """The alarm ExecutionFailed fires, and the command ends with an error."""
    revoke(booted, cut_off={"sub": digests(59)})
    run = start("emergency", cut_off={"jti": [ANN]}, reason="broken into")
    assert run.finish() == "failed"
    assert isinstance(run.error, EmergencyIncomplete)
    assert str(run.error).startswith("revocation failed: 1 more cut-offs do not fit")


def test_each_cutoff_is_announced(booted, aws):
    """Listeners hear which claim, by its digest, and until when."""
    invoke(record_changes, {})
    aws.reset()
    revoke(booted, cut_off={"sub": [ANN]}, block=[ORDERS])
    invoke(record_changes, {})
    events = aws.events()
    details = {detail["digest"]: detail for _, detail in events}
    assert {detail_type for detail_type, _ in events} == {"TokensRevoked"}
    assert details[ANN]["claim"] == "sub"
    assert details[ANN]["until"] > details[ANN]["issued_before"]
    assert details[ORDERS]["until"] is None


def test_reconcile_measures_how_full_it_is(booted, printed, monkeypatch):
    """While there are cut-offs: how many there are, and how many more fit."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "reconcile")

    def metrics():
        lines = [json.loads(line) for line in printed().splitlines() if "_aws" in line]
        return {name: line[name] for line in lines for name in line if name.startswith("CutOff")}

    invoke(reconcile, {})
    assert metrics() == {}
    revoke(booted, cut_off={"sub": digests(55)})
    invoke(reconcile, {})
    assert metrics() == {"CutOffs": 55, "CutOffRoom": 4}
    assert revoke(booted, cut_off={"jti": digests(4)})["outcome"] == "revoked"
    assert revoke(booted, cut_off={"jti": [ANN]})["outcome"] == "overtaken"


def test_reconcile_forgets_what_has_expired(booted, cloud, clock, aws):
    """A cut-off is forgotten once the last token has expired; that is no drift, so no repair is announced."""
    revoke(booted, cut_off={"client_id": [ORDERS]})
    until = truth(cloud).cutoffs[0].until
    clock.advance((until - clock.now()).total_seconds())
    invoke(reconcile, {})
    assert cut_off_claims(cloud) == {(Claim.CLIENT, ORDERS)}
    clock.advance(1)
    aws.reset()
    repairs = invoke(reconcile, {})
    assert repairs["forget_cutoffs"] == 1
    assert "publish_jwks" not in repairs
    assert truth(cloud).cutoffs == ()
    assert booted.well_known.read().generation == booted.keysets.read().number
    assert "DriftRepaired" not in {detail_type for detail_type, _ in aws.events()}
