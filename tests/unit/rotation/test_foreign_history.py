"""Objects in the history that somebody else wrote: nobody acts on them, and people hear of them."""

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
    """Put a generation into the history that never was in SSM; returns it."""
    forged = replace(booted.keysets.read(), op_id="forged", **changes)
    forged = replace(forged, text=document.dumps(forged))
    booted.history.keep(forged.number, forged.text)
    return forged


@pytest.fixture
def revived(booted, stack, cloud):
    """A forged successor of the keyset in which the revoked standby is back."""
    before = booted.keysets.read().keyset
    revoke_keys(stack, standby_kid(cloud))
    head = booted.keysets.read()
    return {"number": 4, "parent": document.digest(head.text), "keyset": before}


def test_foreign_objects_of_the_history_are_named_as_long_as_they_are_there(
    booted, cloud, printed, monkeypatch
):
    """In the log and by a metric; they stop no repair, and the alarm tells once."""
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
    """It descends from what counts: `keyturn repair` may need it."""
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


def test_a_successor_that_cannot_follow_is_not_put_back(booted, revived, cloud):
    """Its parent's hash is no proof: anybody can read the text."""
    invoke(reconcile, {})
    before = cloud.snapshot()["parameters"]
    forge(booted, **revived)
    assert "restore_generations" not in invoke(reconcile, {})
    assert cloud.snapshot()["parameters"] == before


def test_of_two_successors_the_older_object_comes_back(booted, stack, cloud, clock):
    """What was recorded when it was written is older than what somebody made of it later."""
    revoke_keys(stack, standby_kid(cloud))
    record_changes(booted)
    good = booted.keysets.read()
    clock.advance(1)
    forge(booted, reason="forged")
    booted.keysets.remove(["000000000003"])
    assert put_back.restore_generations(booted) == [3]
    assert booted.keysets.read() == good


def test_where_all_is_gone_what_follows_its_parent_comes_back(booted):
    """Not a higher number that follows nothing."""
    record_changes(booted)
    good = booted.keysets.read()
    forge(booted, number=9, parent="A" * 43)
    booted.keysets.remove(["000000000001", "000000000002"])
    assert put_back.restore_generations(booted) == [2]
    assert booted.keysets.read() == good


def test_many_objects_of_the_next_number_cost_ten_reads(booted, cloud, aws):
    """However many somebody has put there."""
    invoke(reconcile, {})
    for index in range(30):
        name = f"history/000000000003-{index:02d}{'A' * 41}.json"
        cloud.s3.write(name, b"{")
    aws.reset()
    assert put_back.restore_generations(booted) == []
    assert aws.operations.count("s3:GetObject") == 10


@pytest.mark.parametrize("parent", ["its own", "none"])
def test_a_forged_generation_backs_no_jwks(booted, revived, cloud, origin, parent):
    """One from the future is replaced, whatever generation the history claims that it is of."""
    project(booted, origin)
    before = cloud.snapshot()["objects"][JWKS][0]
    forge(booted, **revived if parent == "its own" else {"number": 4, "parent": ""})
    body = json.dumps({**json.loads(before), "generation": 4}).encode()
    metadata = {"keyturn-generation": "4"}
    cloud.s3.write(JWKS, body, metadata=metadata)
    project(booted, origin)
    assert cloud.snapshot()["objects"][JWKS][0] == before


def test_a_forged_generation_needs_no_repair(booted, revived):
    """Nothing was lost, whatever number it has and whatever ended in it."""
    record_changes(booted)
    forge(booted, **revived)
    forge(booted, number=7, parent="A" * 43, keyset=Keyset())
    assert repair_keyset.diagnose(booted).condition is Condition.SOUND


def test_a_keyset_founded_anew_passes_over_what_cannot_be_read(booted, cloud):
    """A number beyond all is no generation's, unless one is in it."""
    record_changes(booted)
    name = f"history/999999999999-{'A' * 43}.json"
    cloud.s3.write(name, b"{")
    assert branches.newest_number(booted) == 2
