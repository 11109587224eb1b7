"""Each generation is told and kept, once it is there, whoever wrote it."""

import json
from dataclasses import replace

import pytest

from keyturn.keyset import document
from keyturn.keyset.transitions import revoke
from keyturn.rotation import reconcile, record_changes
from keyturn.rotation.record_changes import RecordFailed
from tests.unit.stage import invoke, truth


@pytest.fixture
def told(aws):
    """What the event bus has heard: detail types with their details."""

    def told():
        entries = [entry for call in aws.params("events:PutEvents") for entry in call["Entries"]]
        return [(entry["DetailType"], json.loads(entry["Detail"])) for entry in entries]

    return told


@pytest.fixture
def record():
    """SSM's own event has come."""
    return lambda: invoke(record_changes, {"detail-type": "Parameter Store Change"})


def test_a_founded_keyset_is_told_key_by_key(booted, record, told, cloud):
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
    active, standby = truth(cloud).active.kid, truth(cloud).standby.kid
    assert sorted((kind, detail["kid"]) for kind, detail in told()) == sorted(
        [("KeyActivated", active), ("KeyPublished", active), ("KeyPublished", standby)]
    )


def test_a_revocation_says_who_and_why(booted, record, told, cloud, change, aws):
    """And its standby rises in the same generation."""
    record()
    aws.reset()
    old, standby = truth(cloud).active.kid, truth(cloud).standby.kid
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
    with pytest.raises(RecordFailed):
        record()
    kept = booted.history.generations()
    assert {one.number for one in kept} <= {1}  # it founded the keyset and tells of no key
    record()
    assert [one.number for one in booted.history.generations()] == sorted(booted.keysets.stored())


def test_reconcile_tells_what_ssm_did_not(booted, told):
    """SSM's events come on a best-effort basis."""
    assert invoke(reconcile, {})["record_generations"] == sorted(booted.keysets.stored())
    assert {kind for kind, _ in told()} == {"KeyPublished", "KeyActivated"}


def test_a_generation_whose_predecessor_was_pruned(booted, record, told, change, cloud, aws):
    """What it followed is read from the bucket."""
    record()
    aws.reset()
    old = truth(cloud).active.kid
    generation = change(revoke, [old], times=booted.times, limits=booted.limits)
    booted.keysets.remove(f"{n:012d}" for n in range(1, generation.number))
    record()
    assert [(kind, detail["kid"]) for kind, detail in told()][-1] == ("KeyRevoked", old)
    assert len(told()) == 2


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"source": "keyturn", "detail-type": "KeyRevoked", "detail": {"kid": "x", "generation": 2}},
        {"source": "aws.ssm", "detail": {"operation": "Delete", "name": "000000000002"}},
        {"source": "aws.ssm", "detail": {"operation": "Create", "name": "000000000003"}},
    ],
)
def test_what_an_event_says_changes_nothing(booted, record, told, cloud, event):
    """Whoever sent it: what happened is read from SSM."""
    record()
    before = cloud.snapshot(), told()
    assert invoke(record_changes, event)["generations"] == []
    assert (cloud.snapshot(), told()) == before


@pytest.fixture
def put_object(cloud):
    """Write an object as somebody with the permission could."""
    return lambda name, body: cloud.s3.write(name, body)


@pytest.fixture
def names(booted):
    """The objects that hold the generations in SSM, by number."""
    return {
        number: f"history/{number:012d}-{document.digest(text)}.json"
        for number, text in booted.keysets.stored().items()
    }


def test_an_object_of_the_same_number_silences_nothing(booted, record, told, names, put_object):
    """Under another digest it is another object, whatever is in it."""
    text = booted.keysets.stored()[2]
    for name in ("history/000000000002.json", f"history/000000000002-{'A' * 43}.json"):
        put_object(name, text.encode())
    assert record()["generations"] == [1, 2]
    assert {detail["generation"] for _, detail in told()} == {2}
    assert names[2] in [one.name for one in booted.history.generations()]


@pytest.mark.parametrize("when", ["before", "afterwards"])
def test_other_bytes_under_the_name_silence_nothing(
    booted, record, told, names, put_object, aws, when, printed, cloud
):
    """They are written over, and the event is told, perhaps again."""
    if when == "afterwards":
        record()
        aws.reset()
    put_object(names[2], b"{}")
    assert 2 in record()["generations"]
    assert {detail["generation"] for _, detail in told()} == {2}
    assert cloud.snapshot()["objects"][names[2]][0] == booted.keysets.stored()[2].encode()
    assert "history_overwritten" in printed()
    assert record()["generations"] == []


def test_a_predecessor_that_was_written_over_stops_nothing(
    booted, record, told, names, change, cloud, put_object
):
    """What it held is nobody's to know, so that more is told rather than less."""
    record()
    generation = change(revoke, [truth(cloud).active.kid], times=booted.times, limits=booted.limits)
    booted.keysets.remove(["000000000001", "000000000002"])
    put_object(names[2], b"{}")
    assert record()["generations"] == [generation.number]
    assert "KeyRevoked" in [kind for kind, _ in told()]


def test_what_was_deleted_is_put_back_and_told(booted, record, told, cloud, aws):
    """People hear of it: whoever deleted it may do so again."""
    record()
    aws.reset()
    before = booted.keysets.stored()
    cloud.ssm.delete(["/keyturn/demo/keyset/000000000002"])
    assert record()["restored"] == [2]
    assert booted.keysets.stored() == before
    assert [(kind, one["repairs"]) for kind, one in told()] == [
        ("DriftRepaired", {"restore_generations": [2]})
    ]


@pytest.mark.parametrize("call", ["s3:ListObjectsV2", "ssm:DeleteParameters"])
def test_a_step_that_fails_stops_no_other(booted, record, told, change, cloud, aws, call):
    """Nor is it passed over in silence: Lambda asks again."""
    record()
    change(revoke, [truth(cloud).standby.kid], times=booted.times, limits=booted.limits)
    cloud.ssm.put("/keyturn/demo/keyset/7", "{")
    aws.fail(call, aws.error("InternalException", 500), times=float("inf"))
    with pytest.raises(RecordFailed):
        record()
    assert "KeyRevoked" in {kind for kind, _ in told()}


def test_no_generation_is_parsed_twice(booted, monkeypatch):
    """However often a run lists them; nor by the next run of the same container."""
    parsed = []
    read = document._generation
    monkeypatch.setattr(
        document, "_generation", lambda members, text: parsed.append(text) or read(members, text)
    )
    document.loads.cache_clear()
    for module in (record_changes, reconcile, record_changes):
        invoke(module, {})
    assert sorted(parsed) == sorted(booted.keysets.stored().values())


def test_a_past_that_somebody_made_the_root_is_told_key_by_key(
    booted, record, told, cloud, change, aws
):
    """Who may delete and create can bring back the past; a key that was revoked is activated for all to hear."""
    record()
    past, kid = booted.keysets.read(), truth(cloud).active.kid
    change(revoke, [kid], times=booted.times, limits=booted.limits)
    record()
    aws.reset()
    booted.keysets.remove(f"{number:012d}" for number in booted.keysets.stored())
    forged = document.dumps(replace(past, number=9, parent=""))
    cloud.ssm.put("/keyturn/demo/keyset/000000000009", forged)
    record()
    assert ("KeyActivated", kid) in [(kind, one["kid"]) for kind, one in told()]
