"""Each generation is told and kept, once it is there, whoever wrote it."""

import json

import pytest

from keyturn.aws.faults import AwsFault
from keyturn.keyset.transitions import revoke
from keyturn.rotation import reconcile, record_changes


@pytest.fixture
def told(aws):
    """What the event bus has heard: detail types with their details."""

    def told():
        entries = [entry for call in aws.params("events:PutEvents") for entry in call["Entries"]]
        return [(entry["DetailType"], json.loads(entry["Detail"])) for entry in entries]

    return told


@pytest.fixture
def record(invoke):
    """SSM's own event has come."""
    return lambda: invoke(record_changes, {"detail-type": "Parameter Store Change"})


def test_a_founded_keyset_is_told_key_by_key(booted, record, told, truth):
    """Publications and the first activation; who was merely created is nobody's business."""
    numbers = sorted(booted.keysets.stored())
    assert record() == {
        "outcome": "recorded",
        "restored": [],
        "unlawful": [],
        "stepped_over": None,
        "generations": numbers,
        "pruned": [],
    }
    active, standby = truth().active.kid, truth().standby.kid
    assert sorted((kind, detail["kid"]) for kind, detail in told()) == sorted(
        [("KeyActivated", active), ("KeyPublished", active), ("KeyPublished", standby)]
    )


def test_a_revocation_says_who_and_why(booted, record, told, truth, change, aws):
    """And its standby rises in the same generation."""
    record()
    aws.reset()
    old, standby = truth().active.kid, truth().standby.kid
    generation = change(revoke, [old], times=booted.times, limits=booted.limits)
    record()
    origin = {
        "stack": booted.settings.stack,
        "generation": generation.number,
        "at": generation.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "op_id": "op-other",
        "started_by": "somebody",
        "reason": "else",
    }
    assert told() == [
        ("KeyActivated", {**origin, "kid": standby}),
        ("KeyRevoked", {**origin, "kid": old}),
    ]


def test_what_is_kept_is_told_once(booted, record, told):
    """The event comes twice, and reconcile looks, too."""
    record()
    before = told()
    assert record()["generations"] == []
    assert told() == before


def test_what_was_not_told_is_told_again(booted, record, told, aws):
    """Only what was told is kept: nobody misses a revocation because the bus was away."""
    aws.fail("events:PutEvents", aws.error("InternalException", 500))
    with pytest.raises(AwsFault):
        record()
    assert booted.history.numbers() <= {1}  # it founded the keyset and tells of no key
    record()
    assert booted.history.numbers() == set(booted.keysets.stored())


def test_reconcile_tells_what_ssm_did_not(booted, invoke, told):
    """SSM's events come on a best-effort basis."""
    assert invoke(reconcile, {})["record_generations"] == sorted(booted.keysets.stored())
    assert {kind for kind, _ in told()} == {"KeyPublished", "KeyActivated"}


def test_a_generation_whose_predecessor_was_pruned(booted, record, told, change, truth, aws):
    """What it followed is read from the bucket."""
    record()
    aws.reset()
    old = truth().active.kid
    generation = change(revoke, [old], times=booted.times, limits=booted.limits)
    booted.keysets.remove(f"{n:012d}" for n in range(1, generation.number))
    record()
    assert [(kind, detail["kid"]) for kind, detail in told()][-1] == ("KeyRevoked", old)
    assert len(told()) == 2
