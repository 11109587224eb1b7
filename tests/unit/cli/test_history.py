"""`keyturn history`: changes from generations in SSM and in the bucket, and who counted when."""

import json
from datetime import timedelta

import pytest

from keyturn.keyset import document
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


def test_a_document_that_is_spoilt_is_named(deployment, booted, origin, backdoor, keyturn):
    """Two lines, with the parameter's name and how to restore it."""
    text = document.dumps(booted.keysets.read()).replace('"reason"', '"raisin"')
    name = "/keyturn/demo/keyset/000000000002"
    backdoor.ssm.put_parameter(Name=name, Value=text, Type="String", Overwrite=True)
    result = keyturn("history")
    first, second = result.stderr.splitlines()
    assert (result.exit_code, name in first, "`keyturn repair`" in second) == (1, True, True)
