"""Cut-offs in an emergency: one write with the keys, stronger when it was slow, forgotten in time."""

import json
from datetime import timedelta

import pytest

from keyturn.aws.events import InvalidEvent
from keyturn.keyset import timing
from keyturn.keyset.cutoffs import Claim, digest_of
from keyturn.rotation import reconcile, record_changes, revoke_keys
from keyturn.rotation.revoke_keys import CutOffTooLate
from tests.unit.rotation.emergency.paths import EMERGENCY

ORDERS, ANN = digest_of("orders"), digest_of("ann")
PLAN = {"op_id": "op-1", "reason": "host broken into"}


@pytest.fixture
def cut(booted, invoke):
    """RevokeKeys, as the state machine calls it in an emergency."""

    def cut(**request):
        return invoke(revoke_keys, {"started_by": "ann", "plan": PLAN, **request})

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
    assert truth().cutoff(Claim.CLIENT, ORDERS).blocks


def test_a_released_client_stays_cut_off_until_then(booted, cut, truth):
    """What was issued before its release is refused for as long as it can be alive."""
    cut(block=[ORDERS])
    cut(release=[ORDERS])
    cutoff = truth().cutoff(Claim.CLIENT, ORDERS)
    assert not cutoff.blocks
    assert cutoff.hits(booted.clock.now().timestamp())


def test_a_slow_write_is_made_once_more(booted, cut, truth, monkeypatch, clock):
    """Tokens may have been issued meanwhile: that attempt fails, and the next one's instant is later."""
    real = booted.keysets.update

    def slow(change, origin):
        clock.advance(3)
        return real(change, origin)

    with monkeypatch.context() as patch:
        patch.setattr(booted.keysets, "update", slow)
        with pytest.raises(CutOffTooLate):
            cut(cut_off={"client_id": [ORDERS]})
    first = truth().cutoff(Claim.CLIENT, ORDERS)
    cut(cut_off={"client_id": [ORDERS]})
    assert truth().cutoff(Claim.CLIENT, ORDERS).before > first.before
    assert timing.is_cut_covered(
        truth().cutoff(Claim.CLIENT, ORDERS).before, clock.now(), booted.times
    )


def test_an_attempt_that_writes_after_another_cuts_off_nothing_more(
    booted, cut, truth, clock, monkeypatch
):
    """Its instant is from before it hung: tokens issued since the acknowledged cut-off go on (S15)."""
    real = booted.keysets.update

    def hung(change, origin):
        monkeypatch.setattr(booted.keysets, "update", real)
        clock.advance(1)
        cut(cut_off={"client_id": [ORDERS]})
        acknowledged.append(truth().cutoffs)
        clock.advance(60)
        return real(change, origin)

    acknowledged = []
    monkeypatch.setattr(booted.keysets, "update", hung)
    with pytest.raises(CutOffTooLate):
        cut(cut_off={"client_id": [ORDERS]})
    assert (truth().cutoffs,) == tuple(acknowledged)


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


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        ({}, "kids: nothing is named"),
        ({"cut_off": {}}, "kids: nothing is named"),
        ({"cut_off": {"sub": []}}, "kids: nothing is named"),
        ({"cut_off": {"kid": [ORDERS]}}, "cut_off.kid"),
        ({"cut_off": {"sub": ["ann"]}}, "cut_off.sub.0"),
        ({"cut_off": {"sub": [ORDERS] * 61}}, "cut_off.sub"),
        ({"block": "orders"}, "block"),
        ({"release": ["orders"]}, "release.0"),
    ],
)
def test_a_request_that_is_not_understood(booted, start, world, request_, named):
    """Nothing is written, and the error names the member."""
    before = world()
    run = start("emergency", reason="broken into", **request_)
    assert run.finish() == "failed"
    assert isinstance(run.error, InvalidEvent)
    assert str(run.error).startswith(named)
    assert world() == before


def test_each_cutoff_is_announced(booted, cut, invoke, aws):
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


def test_reconcile_forgets_what_is_over(booted, cut, invoke, truth, clock):
    """No earlier than when the last token is dead."""
    cut(cut_off={"client_id": [ORDERS]})
    until = truth().cutoffs[0].until
    clock.advance((until - clock.now()).total_seconds())
    invoke(reconcile, {})
    assert named(truth()) == {(Claim.CLIENT, ORDERS)}
    clock.advance(timedelta(seconds=1).total_seconds())
    assert invoke(reconcile, {})["forget_cutoffs"] == 1
    assert truth().cutoffs == ()
