"""`keyturn repair`: what it says in each case, asks, does, and that its absence is named."""

import json

import pytest

from keyturn.aws.faults import AwsFault
from keyturn.keyset import document
from keyturn.rotation.record_changes import record_changes
from tests.unit.conftest import BUCKET

PATH = "/keyturn/demo/keyset/"
MEMBERS = {
    "condition",
    "unreadable",
    "source",
    "restored_as",
    "revoked",
    "removed",
    "kept",
    "generation",
}


@pytest.fixture
def spoil(backdoor):
    """Write what cannot be read above the newest generation."""

    def spoil(text="{") -> None:
        backdoor.ssm.put_parameter(Name=f"{PATH}000000000003", Value=text, Type="String")

    return spoil


@pytest.fixture
def said(deployment, keyturn, monkeypatch):
    """The JSON object of a repair."""
    monkeypatch.setattr(deployment, "caller", lambda: "arn:operator")
    return lambda *options: json.loads(keyturn("repair", "--yes", "--json", *options).stdout)


def test_a_sound_keyset(said, keyturn, world):
    """Nothing is asked, nothing is done; exit status 0."""
    before = world()
    assert said()["condition"] == "sound"
    result = keyturn("repair")
    assert (result.exit_code, "nothing to repair" in result.stdout) == (0, True)
    assert world() == before


def test_an_unreadable_generation(deployment, said, spoil, keyturn):
    """The keyset as before, under the operator's name, and doctor finds nothing."""
    good = deployment.keyset
    spoil()
    done = said()
    assert done.keys() == MEMBERS
    assert (done["condition"], done["source"], done["restored_as"]) == ("unreadable", 2, 4)
    assert (done["removed"], done["generation"]) == ([3], 4)
    [problem] = done["unreadable"]
    assert (problem["generation"], "not JSON" in problem["problem"]) == (3, True)
    generation = deployment.keysets.read()
    assert (generation.keyset, generation.started_by) == (good, "arn:operator")
    assert json.loads(keyturn("doctor", "--json").stdout)["findings"] == []


def test_a_dry_run_writes_nothing(said, spoil, world, keyturn, deployment):
    """It says what would be restored, which keys are in it, and what would be deleted."""
    spoil()
    before = world()
    assert said("--dry-run")["restored_as"] == 4
    printed = keyturn("repair", "--dry-run", width=200).stdout
    assert "Restores generation 2" in printed
    assert "as generation 4" in printed
    assert "Deletes from SSM, after keeping the text in history/: 3" in printed
    kids = [line.split()[0] for line in printed.splitlines() if line.startswith("  ")]
    keyset = document.loads(before["parameters"][f"{PATH}000000000002"][0]).keyset
    assert kids == [key.kid for key in keyset.keys]
    assert world() == before


def test_it_asks_for_the_stack_s_name(spoil, said, keyturn, world):
    """Anything else is bad usage, and nothing is done; --json asks nothing."""
    spoil()
    before = world()
    assert keyturn("repair", text="yes\n").exit_code == 2
    assert keyturn("repair", "--json").exit_code == 2
    assert world() == before
    assert keyturn("repair", text="keyturn\n").exit_code == 0


def test_a_newer_release_is_named(spoil, said, keyturn, world):
    """Two lines: what was found, and that the release must be deployed; nothing is touched."""
    spoil('{"schema":99}')
    before = world()
    result = keyturn("repair", "--yes")
    first, second = result.stderr.splitlines()
    assert (result.exit_code, "schema 99" in first, "deploy that release" in second) == (
        1,
        True,
        True,
    )
    assert world() == before


def test_a_jwks_that_is_not_ours_is_deleted_first(said, backdoor, booted, keyturn):
    """As the remedy says; then there is nothing to repair, and reconcile writes the JWKS."""
    jwks = {"Bucket": BUCKET, "Key": ".well-known/jwks.json"}
    backdoor.s3.put_object(**jwks, Body=b"{}", Metadata={"keyturn-generation": "99"})
    result = keyturn("repair", "--yes")
    first, second = result.stderr.splitlines()
    assert ("generation 99" in first, "delete .well-known/jwks.json" in second) == (True, True)
    backdoor.s3.delete_object(**jwks)
    assert said()["condition"] == "sound"


def test_nothing_to_restore_is_said(said, backdoor, keyturn):
    """Neither SSM nor the bucket knows of a keyset."""
    backdoor.ssm.delete_parameters(Names=[f"{PATH}00000000000{number}" for number in (1, 2)])
    backdoor.s3.delete_object(Bucket=BUCKET, Key=".well-known/jwks.json")
    result = keyturn("repair", "--yes")
    assert (result.exit_code, "deploy it again" in result.stderr) == (1, True)


def test_a_jwks_that_cannot_be_written_is_said_after_the_repair(
    said, spoil, deployment, keyturn, aws
):
    """The keyset counts again all the same; another command publishes it."""
    spoil()
    aws.fail("s3:PutObject", aws.error("AccessDenied"), nth=2, times=99)
    result = keyturn("repair", "--yes")
    first, second = result.stderr.splitlines()
    assert ("the keyset counts again" in first, "doctor --fix" in second) == (True, True)
    assert deployment.keysets.read().number == 4


def test_a_keyset_that_changes_meanwhile_is_repaired_by_running_it_again(
    said, spoil, deployment, keyturn, aws, backdoor
):
    """As the remedy says."""
    spoil()
    text = document.dumps(deployment.keysets.parsed(2, deployment.keysets.stored()[2]))
    text = text.replace('"generation":2', '"generation":4')

    def meanwhile():
        backdoor.ssm.put_parameter(Name=f"{PATH}000000000004", Value=text, Type="String")

    aws.meanwhile("ssm:PutParameter", meanwhile)
    result = keyturn("repair", "--yes")
    assert (result.exit_code, "run `keyturn repair` again" in result.stderr) == (1, True)
    assert said()["removed"] == [3]


def test_an_unknown_caller_is_the_operator(deployment, keyturn, spoil, monkeypatch):
    """Who repaired is worth a note, and no reason to fail."""

    def denied():
        raise AwsFault("sts:GetCallerIdentity", "AccessDenied")

    monkeypatch.setattr(deployment, "caller", denied)
    spoil()
    assert keyturn("repair", "--yes").exit_code == 0
    assert deployment.keysets.read().started_by == "operator"


@pytest.mark.parametrize("way", [(), ("--direct",)], ids=["workflow", "direct"])
def test_a_revocation_says_to_repair_first(deployment, spoil, keyturn, way):
    """While the newest is unreadable no key can be revoked: two lines that name the verb."""
    kid = deployment.keyset.active.kid
    spoil()
    result = keyturn("revoke", kid, "--reason", "leak", "--yes", *way)
    first, second = result.stderr.splitlines()
    assert (result.exit_code, "`keyturn repair`" in first, "`keyturn repair`" in second) == (
        1,
        True,
        True,
    )


def test_deleted_generations(deployment, said, booted, backdoor, keyturn):
    """`jwks_ahead` names the verb; the newest comes back from the history."""
    record_changes(booted)
    good = deployment.keyset
    backdoor.ssm.delete_parameters(Names=[f"{PATH}000000000002"])
    [finding] = [
        one
        for one in json.loads(keyturn("doctor", "--json").stdout)["findings"]
        if one["code"] == "jwks_ahead"
    ]
    assert "`keyturn repair`" in finding["remedy"]
    assert said()["condition"] == "deleted"
    assert deployment.keyset == good
