"""`keyturn history`: changes from generations in SSM and in the bucket, and who counted when."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from keyturn.keyset import document
from keyturn.keyset.cutoffs import Claim, digest_of
from keyturn.keyset.model import Origin
from keyturn.keyset.timing import cutoff_before
from keyturn.keyset.token_revocation import cut_off
from keyturn.rotation.record_changes import record_changes
from tests.unit.cli.running import keyturn, supersede, transcript
from tests.unit.stage import START


@pytest.fixture
def keyset_before(booted, origin, clock):
    """The standby has taken over, half a minute after the start."""
    clock.advance(30)
    before = supersede(booted, origin)
    clock.advance(5)
    return before


@pytest.mark.parametrize("width", [80, 120])
def test_every_change(deployment, keyset_before, cloud, width):
    """Each line says when, what, why and who; the newest comes first."""
    result = keyturn("history", width=width)
    assert result.exit_code == 0
    ids = {one["op_id"] for one in json.loads(keyturn("history", "--json").stdout)["changes"]}
    printed = result.stdout
    for op_id in ids:
        printed = printed.replace(op_id, "0" * len(op_id))
    transcript(cloud, f"history-{width}", printed)


def test_as_json(deployment, keyset_before):
    """The JSON has the documented shape."""
    output = json.loads(keyturn("history", "--limit", "1", "--json").stdout)
    [change] = output["changes"]
    assert set(change) == {"generation", "at", "changes", "reason", "started_by", "op_id"}
    assert change["changes"] == [
        {"change": "superseded", "kid": keyset_before.active.kid},
        {"change": "activated", "kid": keyset_before.standby.kid},
    ]
    assert output["older"] == 2


def test_what_ssm_has_forgotten_comes_from_the_bucket(deployment, keyset_before, booted):
    """The changes are the same before and after SSM's generations are pruned."""
    before = json.loads(keyturn("history", "--json").stdout)
    for number, text in booted.keysets.read_texts().items():
        booted.history.keep(number, text)
    booted.keysets.remove(f"{n:012d}" for n in [1, 2])
    assert json.loads(keyturn("history", "--json").stdout) == before


def test_what_was_cut_off(deployment, booted, keyset_before, clock):
    """A line says when, whose tokens, and issued until when; `--at` lists the cut-offs of that instant."""
    before = cutoff_before(clock.now(), booted.times)

    def cut(keyset, now):
        named = [(Claim.CLIENT, digest_of("shop"))]
        return cut_off(keyset, named, now, before=before, times=booted.times, limits=booted.limits)

    booted.keysets.update(cut, Origin("op-cut", "ann", "host broken into"))
    [change] = json.loads(keyturn("history", "--limit", "1", "--json").stdout)["changes"]
    [entry] = change["changes"]
    assert (entry["change"], entry["claim"], entry["digest"]) == (
        *("cut_off", "client_id"),
        digest_of("shop"),
    )
    page = keyturn("history", "--at", clock.now().isoformat()).stdout
    assert f"cut off    client_id {digest_of('shop')}, issued before" in page


@pytest.mark.parametrize(("seconds", "active"), [(29, "first"), (30, "second"), (34, "second")])
def test_who_counted_then(deployment, keyset_before, seconds, active):
    """The instant is read to the second; without a zone it is UTC."""
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
def test_an_instant_that_says_nothing(deployment, at, status, word):
    """Bad usage, or before the first generation."""
    result = keyturn("history", "--at", at)
    assert result.exit_code == status
    assert word in result.stderr


def test_what_does_not_count_is_no_history(deployment, keyset_before, booted, cloud):
    """A parameter that is not of the lineage is left out, wherever below the path it is."""
    before = json.loads(keyturn("history", "--json").stdout)
    text = document.dumps(replace(booted.keysets.read(), number=9, parent=""))
    for name, forged in (("000000000009", text), ("000000000004", "{")):
        path = f"/keyturn/demo/keyset/{name}"
        cloud.ssm.put(path, forged)
    assert json.loads(keyturn("history", "--json").stdout) == before


@pytest.fixture
def kept(booted, keyset_before):
    """All generations but the newest are in the bucket only."""
    record_changes(booted)
    booted.keysets.remove(["000000000001", "000000000002"])
    return {one.number: one.name for one in booted.history.generations()}


def _history(*options):
    return json.loads(keyturn("history", "--json", *options).stdout)


def test_an_object_that_cannot_be_read_is_left_out_and_named(deployment, keyset_before, cloud):
    """The other generations are shown nevertheless."""
    name = f"history/000000000007-{'A' * 43}.json"
    cloud.s3.write(name, b"{")
    result = keyturn("history", width=200)
    output = _history()
    assert (result.exit_code, f"history, ignored: {name}" in result.stdout) == (0, True)
    assert [change["generation"] for change in output["changes"]] == [3, 2, 1]
    assert (output["older"], output["ignored"]) == (0, [name])


@pytest.mark.parametrize("options", [(), ("--at", START.isoformat())])
def test_a_forged_past_is_left_out_and_named(deployment, kept, booted, options):
    """A forged generation is left out and named: each genuine one names its parent by its hash."""
    before = _history(*options)
    forged = replace(booted.history.read(booted.history.generations()[1]), op_id="forged")
    booted.history.keep(2, document.dumps(forged))
    after = _history(*options)
    [name] = after.pop("ignored")
    assert name.startswith("history/000000000002-")
    assert name != kept[2]
    assert after == {key: value for key, value in before.items() if key != "ignored"}
    assert before["unproved_before"] is None


def test_a_past_that_was_overwritten_is_left_out_and_named(deployment, kept, cloud):
    """The rest is shown, and that nothing proves it any more."""
    cloud.s3.write(kept[2], b"{}")
    output = _history()
    assert [change["generation"] for change in output["changes"]] == [3, 1]
    assert (output["ignored"], output["unproved_before"]) == ([kept[2]], 3)
    assert "The parent of generation 3 is gone" in keyturn("history", width=200).stdout
