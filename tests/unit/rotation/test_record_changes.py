"""Each generation is told and kept, once it is there, whoever wrote it."""

import json
from dataclasses import replace

import pytest

from keyturn.keyset import document
from keyturn.rotation import reconcile, record_changes
from keyturn.rotation.record_changes import RecordFailed
from tests.unit.changes import revoke_keys
from tests.unit.stage import active_kid, invoke, standby_kid

CHANGE = {"detail-type": "Parameter Store Change"}  # SSM's own event


def told(aws):
    """What the event bus has heard: detail types with their details."""
    entries = [entry for call in aws.params("events:PutEvents") for entry in call["Entries"]]
    return [(entry["DetailType"], json.loads(entry["Detail"])) for entry in entries]


def test_a_founded_keyset_is_told_key_by_key(booted, aws, cloud):
    """Publications and the first activation; who was merely created is nobody's business."""
    numbers = sorted(booted.keysets.read_texts())
    assert invoke(record_changes, CHANGE) == {
        "outcome": "recorded",
        "restored": [],
        "unlawful": [],
        "stepped_over": None,
        "generations": numbers,
        "pruned": [],
    }
    active, standby = active_kid(cloud), standby_kid(cloud)
    assert sorted((kind, detail["kid"]) for kind, detail in told(aws)) == sorted(
        [("KeyActivated", active), ("KeyPublished", active), ("KeyPublished", standby)]
    )


def test_a_revocation_says_who_and_why(booted, aws, cloud, stack):
    """And its standby rises in the same generation."""
    invoke(record_changes, CHANGE)
    aws.reset()
    old, standby = active_kid(cloud), standby_kid(cloud)
    generation = revoke_keys(stack, old)
    invoke(record_changes, CHANGE)
    origin = {
        "stack": booted.settings.stack,
        "generation": generation.number,
        "at": generation.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "op_id": "op-other",
        "started_by": "somebody",
        "reason": "else",
    }
    assert told(aws) == [
        ("KeyActivated", {**origin, "kid": standby}),
        ("KeyRevoked", {**origin, "kid": old}),
    ]


def test_what_is_kept_is_told_once(booted, aws):
    """The event comes twice, and reconcile looks, too."""
    invoke(record_changes, CHANGE)
    before = told(aws)
    assert invoke(record_changes, CHANGE)["generations"] == []
    assert told(aws) == before


def test_what_was_not_told_is_told_again(booted, aws):
    """Only what was told is kept: nobody misses a revocation because the bus was away."""
    aws.fail("events:PutEvents", aws.error("InternalException", 500))
    with pytest.raises(RecordFailed):
        invoke(record_changes, CHANGE)
    kept = booted.history.generations()
    assert {one.number for one in kept} <= {1}  # it founded the keyset and tells of no key
    invoke(record_changes, CHANGE)
    assert [one.number for one in booted.history.generations()] == sorted(
        booted.keysets.read_texts()
    )


def test_reconcile_tells_what_ssm_did_not(booted, aws):
    """SSM's events come on a best-effort basis."""
    assert invoke(reconcile, {})["record_generations"] == sorted(booted.keysets.read_texts())
    assert {kind for kind, _ in told(aws)} == {"KeyPublished", "KeyActivated"}


def test_a_generation_whose_predecessor_was_pruned(booted, aws, stack, cloud):
    """What it followed is read from the bucket."""
    invoke(record_changes, CHANGE)
    aws.reset()
    old = active_kid(cloud)
    generation = revoke_keys(stack, old)
    booted.keysets.remove(f"{n:012d}" for n in range(1, generation.number))
    invoke(record_changes, CHANGE)
    assert [(kind, detail["kid"]) for kind, detail in told(aws)][-1] == ("KeyRevoked", old)
    assert len(told(aws)) == 2


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"source": "keyturn", "detail-type": "KeyRevoked", "detail": {"kid": "x", "generation": 2}},
        {"source": "aws.ssm", "detail": {"operation": "Delete", "name": "000000000002"}},
        {"source": "aws.ssm", "detail": {"operation": "Create", "name": "000000000003"}},
    ],
)
def test_what_an_event_says_changes_nothing(booted, aws, cloud, event):
    """Whoever sent it: what happened is read from SSM."""
    invoke(record_changes, CHANGE)
    before = cloud.snapshot(), told(aws)
    assert invoke(record_changes, event)["generations"] == []
    assert (cloud.snapshot(), told(aws)) == before


@pytest.fixture
def names(booted):
    """The objects that hold the generations in SSM, by number."""
    return {
        number: f"history/{number:012d}-{document.digest(text)}.json"
        for number, text in booted.keysets.read_texts().items()
    }


def test_an_object_of_the_same_number_silences_nothing(booted, aws, names, cloud):
    """Under another digest it is another object, whatever is in it."""
    text = booted.keysets.read_texts()[2]
    for name in ("history/000000000002.json", f"history/000000000002-{'A' * 43}.json"):
        cloud.s3.write(name, text.encode())
    assert invoke(record_changes, CHANGE)["generations"] == [1, 2]
    assert {detail["generation"] for _, detail in told(aws)} == {2}
    assert names[2] in [one.name for one in booted.history.generations()]


@pytest.mark.parametrize("when", ["before", "afterwards"])
def test_other_bytes_under_the_name_silence_nothing(booted, aws, names, cloud, when, printed):
    """They are written over, and the event is told, perhaps again."""
    if when == "afterwards":
        invoke(record_changes, CHANGE)
        aws.reset()
    cloud.s3.write(names[2], b"{}")
    assert 2 in invoke(record_changes, CHANGE)["generations"]
    assert {detail["generation"] for _, detail in told(aws)} == {2}
    assert cloud.snapshot()["objects"][names[2]][0] == booted.keysets.read_texts()[2].encode()
    assert "history_overwritten" in printed()
    assert invoke(record_changes, CHANGE)["generations"] == []


def test_a_predecessor_that_was_written_over_stops_nothing(booted, aws, names, stack, cloud):
    """What it held is nobody's to know, so that more is told rather than less."""
    invoke(record_changes, CHANGE)
    generation = revoke_keys(stack, active_kid(cloud))
    booted.keysets.remove(["000000000001", "000000000002"])
    cloud.s3.write(names[2], b"{}")
    assert invoke(record_changes, CHANGE)["generations"] == [generation.number]
    assert "KeyRevoked" in [kind for kind, _ in told(aws)]


def test_what_was_deleted_is_put_back_and_told(booted, aws, cloud):
    """People hear of it: whoever deleted it may do so again."""
    invoke(record_changes, CHANGE)
    aws.reset()
    before = booted.keysets.read_texts()
    cloud.ssm.delete(["/keyturn/demo/keyset/000000000002"])
    assert invoke(record_changes, CHANGE)["restored"] == [2]
    assert booted.keysets.read_texts() == before
    assert [(kind, one["repairs"]) for kind, one in told(aws)] == [
        ("DriftRepaired", {"restore_generations": [2]})
    ]


@pytest.mark.parametrize("call", ["s3:ListObjectsV2", "ssm:DeleteParameters"])
def test_a_step_that_fails_stops_no_other(booted, aws, stack, cloud, call):
    """Nor is it passed over in silence: Lambda asks again."""
    invoke(record_changes, CHANGE)
    revoke_keys(stack, standby_kid(cloud))
    cloud.ssm.put("/keyturn/demo/keyset/7", "{")
    aws.fail(call, aws.error("InternalException", 500), times=float("inf"))
    with pytest.raises(RecordFailed):
        invoke(record_changes, CHANGE)
    assert "KeyRevoked" in {kind for kind, _ in told(aws)}


def test_no_generation_is_parsed_twice(booted, monkeypatch):
    """However often a run lists them; nor by the next run of the same container."""
    parsed = []
    read = document._generation

    def generation(members, text):
        parsed.append(text)
        return read(members, text)

    monkeypatch.setattr(document, "_generation", generation)
    document.loads.cache_clear()
    for module in (record_changes, reconcile, record_changes):
        invoke(module, {})
    assert sorted(parsed) == sorted(booted.keysets.read_texts().values())


def test_a_past_that_somebody_made_the_root_is_told_key_by_key(booted, aws, cloud, stack):
    """Who may delete and create can bring back the past; a key that was revoked is activated for all to hear."""
    invoke(record_changes, CHANGE)
    past, kid = booted.keysets.read(), active_kid(cloud)
    revoke_keys(stack, kid)
    invoke(record_changes, CHANGE)
    aws.reset()
    booted.keysets.remove(f"{number:012d}" for number in booted.keysets.read_texts())
    forged = document.dumps(replace(past, number=9, parent=""))
    cloud.ssm.put("/keyturn/demo/keyset/000000000009", forged)
    invoke(record_changes, CHANGE)
    assert ("KeyActivated", kid) in [(kind, one["kid"]) for kind, one in told(aws)]
