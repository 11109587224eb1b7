"""Reconcile on generations in SSM: old ones are pruned, lost ones restored, unlawful ones removed."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from keyturn.keyset import document
from keyturn.keyset.transitions import revoke
from keyturn.rotation import reconcile
from keyturn.rotation.prune_generations import prune_generations
from keyturn.rotation.publish_jwks import project
from keyturn.rotation.reconcile import RepairFailed
from keyturn.rotation.record_changes import record_changes
from tests.unit.changes import change
from tests.unit.stage import active_key, invoke, truth

HOUR = timedelta(hours=1).total_seconds()


@pytest.fixture
def write_generations(booted, origin, clock):
    """Write this many more generations, a minute apart, and publish the last one."""

    def write(more: int) -> None:
        for _ in range(more):
            clock.advance(60)
            booted.keysets.update(
                lambda keyset, now: replace(keyset, horizon=now.replace(microsecond=0)), origin
            )
        project(booted, origin)

    return write


def test_old_generations_are_pruned(booted, write_generations, clock, cloud):
    """The newest and four older ones stay in SSM; the others are in the history, text by text."""
    write_generations(8)
    stored = booted.keysets.read_texts()
    top = max(stored)
    clock.advance(HOUR + 1)
    assert invoke(reconcile, {})["prune_generations"] == list(range(1, top - 4))
    assert sorted(booted.keysets.read_texts()) == list(range(top - 4, top + 1))
    objects = cloud.snapshot()["objects"]
    for number, text in stored.items():
        name = f"history/{number:012d}-{document.digest(text)}.json"
        assert objects[name][0] == text.encode()


def test_young_generations_are_not_pruned(booted, write_generations, clock):
    """Only after an hour, strictly: a slow reader may still hold one."""
    write_generations(8)
    first = document.loads(booted.keysets.read_texts()[1])
    clock.wall = first.at + timedelta(hours=1)
    assert "prune_generations" not in invoke(reconcile, {})
    clock.advance(1)
    pruned = invoke(reconcile, {})["prune_generations"]
    assert 1 in pruned
    assert len(pruned) < 8


def test_five_generations_are_never_pruned(booted, write_generations, clock):
    """Five are kept, however old they are."""
    write_generations(4)
    top = max(booted.keysets.read_texts())
    for pruned in (list(range(1, top - 4)), None):
        clock.advance(1000 * HOUR)
        assert invoke(reconcile, {}).get("prune_generations") == pruned
    assert sorted(booted.keysets.read_texts()) == list(range(top - 4, top + 1))


def test_a_generation_that_is_not_in_the_history_stays(booted, write_generations, clock, aws):
    """Nothing is deleted that the audit trail lacks, nor anything above a gap in it."""
    write_generations(8)
    clock.advance(HOUR + 1)
    before = booted.keysets.read_texts()
    aws.fail("s3:PutObject", aws.error("AccessDenied", 403), nth=3, times=99)
    with pytest.raises(RepairFailed, match="record_generations: s3:PutObject"):
        invoke(reconcile, {})
    assert sorted(set(before) - set(booted.keysets.read_texts())) == [1, 2]


def test_too_many_generations_are_pruned_however_young(booted, write_generations, monkeypatch):
    """A burst of changes must not make every cold reader read dozens of pages."""
    monkeypatch.setattr(booted, "limits", replace(booted.limits, generation_count=8))
    write_generations(12)
    stored = sorted(booted.keysets.read_texts())
    assert invoke(reconcile, {})["prune_generations"] == stored[:-8]
    assert sorted(booted.keysets.read_texts()) == stored[-8:]


def test_an_overwritten_generation_is_restored(booted, write_generations, cloud, clock):
    """It has its text from the history again, and pruning continues."""
    write_generations(8)
    invoke(reconcile, {})
    newest, text = booted.keysets.read(), booted.keysets.read_texts()[3]
    name = "/keyturn/demo/keyset/000000000003"
    cloud.ssm.put(name, "{}", overwrite=True)
    assert invoke(reconcile, {})["restore_generations"] == [3]
    assert (booted.keysets.read(), booted.keysets.read_texts()[3]) == (newest, text)
    clock.advance(HOUR + 1)
    assert 4 in invoke(reconcile, {})["prune_generations"]


def test_a_history_that_cannot_be_listed_stops_no_other_repair(booted, stack, aws, cloud):
    """Both keys were revoked: a new key signs all the same."""
    kids = [key.kid for key in truth(cloud).keys]
    change(stack, revoke, kids, times=booted.times, limits=booted.limits)
    aws.fail("s3:ListObjectsV2", aws.error("AccessDenied", 403), times=9)
    with pytest.raises(RepairFailed, match="restore_generations: s3:ListObjectsV2"):
        invoke(reconcile, {})
    assert active_key(truth(cloud)).kid not in kids


def test_a_garbled_listing_restores_nothing(booted, write_generations, monkeypatch, cloud):
    """Otherwise good generations would be deleted to make room for their own copies."""
    write_generations(8)
    invoke(reconcile, {})
    before, listing = cloud.snapshot()["parameters"], booted.keysets.list_parameters
    garbled = iter([[replace(one, text=one.text[:-9]) for one in listing()]])
    monkeypatch.setattr(booted.keysets, "list_parameters", lambda: next(garbled, None) or listing())
    removed = []
    monkeypatch.setattr(booted.keysets, "remove", lambda names: removed.extend(names))
    assert "restore_generations" not in invoke(reconcile, {})
    assert (removed, cloud.snapshot()["parameters"]) == ([], before)


def test_another_text_in_the_history_is_no_obstacle(booted, write_generations, clock, cloud):
    """Another text has the number already; the text from SSM is stored beside it."""
    write_generations(8)
    booted.history.keep(3, '{"generation":3}')
    clock.advance(HOUR + 1)
    text = booted.keysets.read_texts()[3]
    invoke(reconcile, {})
    assert 3 not in booted.keysets.read_texts()
    assert text.encode() in [body for body, *_ in cloud.snapshot()["objects"].values()]


@pytest.mark.parametrize("name", ["000000000020", "999999999999", "3", "x"])
def test_an_unlawful_parameter_is_announced_recorded_and_removed(booted, cloud, aws, name, printed):
    """The announcement comes once and has the parameter's name."""
    cloud.ssm.put(f"/keyturn/demo/keyset/{name}", "{")
    assert invoke(reconcile, {})["remove_unlawful_generations"] == [name]
    [event] = [
        entry
        for call in aws.params("events:PutEvents")
        for entry in call["Entries"]
        if entry["DetailType"] == "UnlawfulGeneration"
    ]
    assert json.loads(event["Detail"])["parameter"] == name
    assert b"{" in [body for body, *_ in cloud.snapshot()["objects"].values()]
    assert sorted(booted.keysets.read_texts()) == [1, 2]
    assert "remove_unlawful_generations" not in invoke(reconcile, {})


def test_an_unlawful_successor_is_stepped_over_and_pruned(booted, cloud, clock, aws):
    """Its name stays taken until the generations around it are old; it is announced once."""
    keyset = booted.keysets.read().keyset
    cloud.ssm.put("/keyturn/demo/keyset/000000000003", "{")
    assert invoke(reconcile, {})["step_over_unlawful_generations"] == 4
    assert booted.keysets.read().keyset == keyset
    assert "remove_unlawful_generations" not in invoke(reconcile, {})
    clock.advance(HOUR + 1)
    assert invoke(reconcile, {})["prune_generations"] == [1, 2]
    assert sorted(booted.keysets.read_texts()) == [4]


def test_a_forged_text_never_becomes_the_oldest(booted, cloud, clock, write_generations):
    """Nothing is pruned below a forged generation, which would then be the oldest."""
    forged = replace(booted.keysets.read(), number=6, parent="", op_id="forged")
    name = "/keyturn/demo/keyset/000000000006"
    cloud.ssm.put(name, document.dumps(forged))
    write_generations(2)
    clock.advance(HOUR + 1)
    record_changes(booted)
    assert prune_generations(booted) == []
    invoke(reconcile, {})
    assert min(booted.keysets.read_texts()) > 6
    assert booted.keysets.read().op_id != "forged"
