"""Foreign objects in the history: they have no effect, and operators are notified."""

import json
from dataclasses import replace

import pytest

from keyturn.aws.keyset.well_known import JWKS
from keyturn.keyset import document
from keyturn.keyset.model import Keyset
from keyturn.rotation import branches, put_back, reconcile, repair_keyset
from keyturn.rotation.publish_jwks import project
from keyturn.rotation.record_changes import record_changes
from keyturn.rotation.repair_keyset import Condition
from tests.unit.changes import revoke_keys
from tests.unit.stage import active_kid, invoke, standby_kid


def forge(booted, **changes):
    """Write a generation into the history that was never in SSM."""
    forged = replace(booted.keysets.read(), op_id="forged", **changes)
    forged = replace(forged, text=document.dumps(forged))
    booted.history.keep(forged.number, forged.text)


@pytest.fixture
def revived(booted, stack, cloud):
    """A forged successor of the keyset in which the revoked standby is back."""
    before = booted.keysets.read().keyset
    revoke_keys(stack, standby_kid(cloud))
    head = booted.keysets.read()
    return {"number": 4, "parent": document.digest(head.text), "keyset": before}


def test_foreign_objects_are_named_as_long_as_they_exist(booted, cloud, printed, monkeypatch):
    """Every run logs and counts them; they stop no repair."""
    invoke(reconcile, {})
    assert "foreign_objects" not in printed()
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "reconcile")
    forged = replace(booted.keysets.read(), number=9, parent="A" * 43)
    booted.history.keep(9, document.dumps(forged))
    cloud.s3.write("history/x", b"{")
    for _ in range(2):
        before = len(printed())
        invoke(reconcile, {})
        lines = [json.loads(line) for line in printed()[before:].splitlines()]
        [line] = [line for line in lines if line.get("message") == "foreign_objects"]
        assert [name[:20] for name in line["objects"]] == ["history/x", "history/000000000009"]
        assert [line["ForeignObjects"] for line in lines if "ForeignObjects" in line] == [2]


def test_a_lost_branch_is_not_foreign(booted, stack, cloud, printed):
    """It descends from a generation of ours, and `keyturn repair` may need it."""
    kid = standby_kid(cloud)
    lost = revoke_keys(stack, kid)
    invoke(reconcile, {})
    booted.keysets.remove(
        [f"{number:012d}" for number in booted.keysets.read_texts() if number > 2]
    )
    revoke_keys(stack, active_kid(cloud))
    invoke(reconcile, {})
    assert lost.text not in booted.keysets.read_texts().values()
    assert "foreign_objects" not in printed()


def test_an_unlawful_successor_is_not_restored(booted, revived, cloud):
    """The right parent digest proves nothing: it can be computed from what SSM shows."""
    invoke(reconcile, {})
    before = cloud.snapshot()["parameters"]
    forge(booted, **revived)
    assert "restore_generations" not in invoke(reconcile, {})
    assert cloud.snapshot()["parameters"] == before


def test_of_two_successors_the_older_object_is_restored(booted, stack, cloud, clock):
    """The genuine object was recorded at once, so a forgery is newer."""
    revoke_keys(stack, standby_kid(cloud))
    record_changes(booted)
    good = booted.keysets.read()
    clock.advance(1)
    forge(booted, reason="forged")
    booted.keysets.remove(["000000000003"])
    assert put_back.restore_generations(booted) == [3]
    assert booted.keysets.read() == good


def test_from_an_empty_ssm_a_successor_of_its_parent_is_restored(booted):
    """A higher number that has no parent is not."""
    record_changes(booted)
    good = booted.keysets.read()
    forge(booted, number=9, parent="A" * 43)
    booted.keysets.remove(["000000000001", "000000000002"])
    assert put_back.restore_generations(booted) == [2]
    assert booted.keysets.read() == good


def test_many_objects_of_the_next_number_cost_ten_reads(booted, cloud, aws):
    """An attacker cannot slow down the repair by many objects."""
    invoke(reconcile, {})
    for index in range(30):
        name = f"history/000000000003-{index:02d}{'A' * 41}.json"
        cloud.s3.write(name, b"{")
    aws.reset()
    assert put_back.restore_generations(booted) == []
    assert aws.operations.count("s3:GetObject") == 10


@pytest.mark.parametrize("parent", ["its own", "none"])
def test_a_forged_generation_backs_no_jwks(booted, revived, cloud, origin, parent):
    """A JWKS from the future is replaced, although the history has a generation of its number."""
    project(booted, origin)
    before = cloud.snapshot()["objects"][JWKS][0]
    forge(booted, **revived if parent == "its own" else {"number": 4, "parent": ""})
    body = json.dumps({**json.loads(before), "generation": 4}).encode()
    metadata = {"keyturn-generation": "4"}
    cloud.s3.write(JWKS, body, metadata=metadata)
    project(booted, origin)
    assert cloud.snapshot()["objects"][JWKS][0] == before


def test_a_forged_generation_needs_no_repair(booted, revived):
    """Nothing was lost, whatever its number and its ended keys are."""
    record_changes(booted)
    forge(booted, **revived)
    forge(booted, number=7, parent="A" * 43, keyset=Keyset())
    assert repair_keyset.diagnose(booted).condition is Condition.SOUND


def test_an_unreadable_object_does_not_count_as_the_newest(booted, cloud):
    """The number in an object's name counts only if the object contains that generation."""
    record_changes(booted)
    name = f"history/999999999999-{'A' * 43}.json"
    cloud.s3.write(name, b"{")
    assert branches.newest_number(booted) == 2
