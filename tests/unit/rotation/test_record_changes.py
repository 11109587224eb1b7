"""RecordChanges: every generation is announced and recorded once, whichever writer it has."""

from dataclasses import replace

import pytest

from keyturn.keyset import document
from keyturn.rotation import reconcile, record_changes
from keyturn.rotation.record_changes import RecordFailed
from tests.unit.changes import revoke_keys
from tests.unit.stage import active_kid, invoke, standby_kid

CHANGE = {"detail-type": "Parameter Store Change"}  # SSM's own event


@pytest.fixture
def recorded(booted, aws):
    """A booted stack whose generations have been recorded; the wire is clear."""
    invoke(record_changes, CHANGE)
    aws.reset()
    return booted


def test_a_founded_keyset_is_announced_key_by_key(booted, aws, cloud):
    """Publications and the first activation are announced, mere creations are not."""
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
    assert sorted((kind, detail["kid"]) for kind, detail in aws.events()) == sorted(
        [("KeyActivated", active), ("KeyPublished", active), ("KeyPublished", standby)]
    )


def test_a_revocation_says_who_and_why(recorded, aws, cloud):
    """The event names the operation; the standby becomes active in the same generation."""
    old, standby = active_kid(cloud), standby_kid(cloud)
    generation = revoke_keys(recorded, old)
    invoke(record_changes, CHANGE)
    origin = {
        "stack": recorded.settings.stack,
        "generation": generation.number,
        "at": generation.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "op_id": "op-other",
        "started_by": "somebody",
        "reason": "else",
    }
    assert aws.events() == [
        ("KeyActivated", {**origin, "kid": standby}),
        ("KeyRevoked", {**origin, "kid": old}),
    ]


def test_a_failed_announcement_is_repeated(booted, aws):
    """Only announced generations are kept, so that no revocation is missed when the bus fails."""
    aws.fail("events:PutEvents", aws.error("InternalException", 500))
    with pytest.raises(RecordFailed):
        invoke(record_changes, CHANGE)
    objects = booted.history.generations()
    assert {one.number for one in objects} <= {1}  # the founding generation has no key to announce
    invoke(record_changes, CHANGE)
    assert [one.number for one in booted.history.generations()] == sorted(
        booted.keysets.read_texts()
    )


def test_reconcile_records_what_an_event_has_missed(booted, aws):
    """SSM's events come on a best-effort basis."""
    assert invoke(reconcile, {})["record_generations"] == sorted(booted.keysets.read_texts())
    assert {kind for kind, _ in aws.events()} == {"KeyPublished", "KeyActivated"}


def test_a_generation_whose_predecessor_was_pruned(recorded, aws, cloud):
    """The predecessor is read from the bucket."""
    old = active_kid(cloud)
    generation = revoke_keys(recorded, old)
    recorded.keysets.remove(f"{n:012d}" for n in range(1, generation.number))
    invoke(record_changes, CHANGE)
    assert [(kind, detail["kid"]) for kind, detail in aws.events()][-1] == ("KeyRevoked", old)
    assert len(aws.events()) == 2


@pytest.mark.parametrize(
    "event",
    [
        CHANGE,
        {},
        {"source": "keyturn", "detail-type": "KeyRevoked", "detail": {"kid": "x", "generation": 2}},
        {"source": "aws.ssm", "detail": {"operation": "Delete", "name": "000000000002"}},
        {"source": "aws.ssm", "detail": {"operation": "Create", "name": "000000000003"}},
    ],
)
def test_a_recorded_generation_is_announced_once(recorded, aws, cloud, event):
    """The generations are read from SSM, whatever a further event says and whoever sent it."""
    before = cloud.snapshot(), aws.events()
    assert invoke(record_changes, event)["generations"] == []
    assert (cloud.snapshot(), aws.events()) == before


@pytest.fixture
def names(booted):
    """The history's object of each generation in SSM, by number."""
    return {
        number: f"history/{number:012d}-{document.digest(text)}.json"
        for number, text in booted.keysets.read_texts().items()
    }


def test_an_object_of_the_same_number_suppresses_nothing(booted, aws, names, cloud):
    """Under another digest it is another object, whatever its content."""
    text = booted.keysets.read_texts()[2]
    for name in ("history/000000000002.json", f"history/000000000002-{'A' * 43}.json"):
        cloud.s3.write(name, text.encode())
    assert invoke(record_changes, CHANGE)["generations"] == [1, 2]
    assert {detail["generation"] for _, detail in aws.events()} == {2}
    assert names[2] in [one.name for one in booted.history.generations()]


@pytest.mark.parametrize("when", ["before", "afterwards"])
def test_an_overwritten_object_suppresses_nothing(booted, aws, names, cloud, when, printed):
    """The object is restored, and its generation is announced, perhaps again."""
    if when == "afterwards":
        invoke(record_changes, CHANGE)
        aws.reset()
    cloud.s3.write(names[2], b"{}")
    assert 2 in invoke(record_changes, CHANGE)["generations"]
    assert {detail["generation"] for _, detail in aws.events()} == {2}
    assert cloud.snapshot()["objects"][names[2]][0] == booted.keysets.read_texts()[2].encode()
    assert "history_overwritten" in printed()
    assert invoke(record_changes, CHANGE)["generations"] == []


def test_an_overwritten_predecessor_stops_nothing(recorded, aws, names, cloud):
    """Its content is unknown, so too much is announced rather than too little."""
    generation = revoke_keys(recorded, active_kid(cloud))
    recorded.keysets.remove(["000000000001", "000000000002"])
    cloud.s3.write(names[2], b"{}")
    assert invoke(record_changes, CHANGE)["generations"] == [generation.number]
    assert "KeyRevoked" in [kind for kind, _ in aws.events()]


def test_a_deleted_generation_is_restored_and_announced(recorded, aws, cloud):
    """Operators are notified, because it may be deleted again."""
    before = recorded.keysets.read_texts()
    cloud.ssm.delete(["/keyturn/demo/keyset/000000000002"])
    assert invoke(record_changes, CHANGE)["restored"] == [2]
    assert recorded.keysets.read_texts() == before
    assert [(kind, one["repairs"]) for kind, one in aws.events()] == [
        ("DriftRepaired", {"restore_generations": [2]})
    ]


@pytest.mark.parametrize("call", ["s3:ListObjectsV2", "ssm:DeleteParameters"])
def test_a_step_that_fails_stops_no_other(recorded, aws, cloud, call):
    """The function still fails, so that Lambda retries it."""
    revoke_keys(recorded, standby_kid(cloud))
    cloud.ssm.put("/keyturn/demo/keyset/7", "{")
    aws.fail(call, aws.error("InternalException", 500), times=float("inf"))
    with pytest.raises(RecordFailed):
        invoke(record_changes, CHANGE)
    assert "KeyRevoked" in {kind for kind, _ in aws.events()}


def test_no_generation_is_parsed_twice(booted, monkeypatch):
    """Neither within a run nor by the next run of the same container."""
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


def test_an_old_keyset_that_was_made_the_root_is_announced_key_by_key(recorded, aws, cloud):
    """Someone who may delete and create parameters can do this; the events show the revoked key."""
    past, kid = recorded.keysets.read(), active_kid(cloud)
    revoke_keys(recorded, kid)
    invoke(record_changes, CHANGE)
    aws.reset()
    recorded.keysets.remove(f"{number:012d}" for number in recorded.keysets.read_texts())
    forged = document.dumps(replace(past, number=9, parent=""))
    cloud.ssm.put("/keyturn/demo/keyset/000000000009", forged)
    invoke(record_changes, CHANGE)
    assert ("KeyActivated", kid) in [(kind, one["kid"]) for kind, one in aws.events()]
