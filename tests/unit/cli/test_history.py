"""`keyturn history`: changes from generations in SSM and in the bucket, and who counted when."""

import json
from datetime import timedelta

import pytest

from tests.unit.conftest import START


@pytest.fixture
def keyset_before(supersede, clock):
    """The standby has taken over, half a minute after the start."""
    clock.advance(30)
    before = supersede()
    clock.advance(5)
    return before


@pytest.mark.parametrize("width", [80, 120])
def test_every_change(deployment, keyset_before, keyturn, transcript, width):
    """When, what, why, who; the newest first."""
    result = keyturn("history", width=width)
    assert result.exit_code == 0
    ids = {one["op_id"] for one in json.loads(keyturn("history", "--json").stdout)["changes"]}
    printed = result.stdout
    for op_id in ids:
        printed = printed.replace(op_id, "0" * len(op_id))
    transcript(f"history-{width}", printed)


def test_as_json(deployment, keyset_before, keyturn):
    """Its shape is documented."""
    output = json.loads(keyturn("history", "--limit", "1", "--json").stdout)
    [change] = output["changes"]
    assert set(change) == {"generation", "at", "changes", "reason", "started_by", "op_id"}
    assert change["changes"] == [
        {"change": "superseded", "kid": keyset_before.active.kid},
        {"change": "activated", "kid": keyset_before.standby.kid},
    ]
    assert output["older"] == 2


def test_what_ssm_has_forgotten_comes_from_the_bucket(deployment, keyset_before, booted, keyturn):
    """The same changes, before and after."""
    before = json.loads(keyturn("history", "--json").stdout)
    for number, text in booted.keysets.stored().items():
        booted.history.keep(number, text)
    booted.keysets.delete([1, 2])
    assert json.loads(keyturn("history", "--json").stdout) == before


@pytest.mark.parametrize(("seconds", "active"), [(29, "first"), (30, "second"), (34, "second")])
def test_who_counted_then(deployment, keyset_before, keyturn, seconds, active):
    """To the second, and a zone is UTC unless it is said."""
    at = (START + timedelta(seconds=seconds)).isoformat()
    output = json.loads(keyturn("history", "--at", at, "--json").stdout)
    kid = {"first": keyset_before.active.kid, "second": keyset_before.standby.kid}[active]
    assert [one["kid"] for one in output["keys"] if one["state"] == "active"] == [kid]
    assert all(one["valid"] for one in output["keys"])
    assert keyturn("history", "--at", at.removesuffix("+00:00")).exit_code == 0


@pytest.mark.parametrize(
    ("at", "status", "word"),
    [
        ("yesterday", 2, "--at"),
        ("2999-01-01T00:00:00Z", 2, "is in the future"),
        ("1999-01-01", 1, "there was no generation"),
    ],
)
def test_an_instant_that_says_nothing(deployment, keyturn, at, status, word):
    """Bad usage, or before the first generation."""
    result = keyturn("history", "--at", at)
    assert result.exit_code == status
    assert word in result.stderr


@pytest.fixture
def spoil(booted, backdoor):
    """Make a stored generation unreadable."""

    def spoil(number):
        text = booted.keysets.stored()[number].replace('"reason"', '"raisin"')
        name = f"/keyturn/demo/keyset/{number:012d}"
        backdoor.ssm.put_parameter(Name=name, Value=text, Type="String", Overwrite=True)

    return spoil


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_unreadable_generation_is_left_out_and_named(
    deployment, keyset_before, keyturn, spoil, number
):
    """The others are shown all the same, the newest and the oldest included."""
    spoil(number)
    result = keyturn("history")
    output = json.loads(keyturn("history", "--json").stdout)
    assert (result.exit_code, f"left out: {number}." in result.stdout) == (0, True)
    assert [change["generation"] for change in output["changes"]] == [
        shown for shown in (3, 2, 1) if shown != number
    ]
    assert (output["older"], output["unreadable"]) == (0, [number])


def test_what_counted_then_is_the_nearest_that_can_be_read(
    deployment, keyset_before, keyturn, spoil
):
    """An unreadable generation never counted for anybody."""
    spoil(3)
    at = (START + timedelta(seconds=34)).isoformat()
    output = json.loads(keyturn("history", "--at", at, "--json").stdout)
    assert (output["generation"], output["unreadable"]) == (2, [3])
