"""`keyturn repair`: its output, question and effect in each case, and which errors name it."""

import json

import pytest

from keyturn.aws.faults import AwsFault
from keyturn.aws.keyset.well_known import JWKS
from keyturn.keyset import document
from keyturn.rotation.record_changes import record_changes
from tests.unit.cli.running import keyturn

PATH = "/keyturn/demo/keyset/"
MEMBERS = {"condition", "missing", "source", "restored_as", "revoked", "generation"}


@pytest.fixture
def lost(booted, cloud):
    """The newest generation is recorded and deleted, and only the JWKS shows a later one."""
    record_changes(booted)
    body = {**json.loads(cloud.s3.body(JWKS)), "generation": 3}
    cloud.s3.write(JWKS, json.dumps(body).encode(), metadata={"keyturn-generation": "3"})
    cloud.ssm.delete([f"{PATH}000000000002"])


@pytest.fixture
def run_repair(deployment, monkeypatch):
    """The JSON object of a repair."""
    monkeypatch.setattr(deployment, "caller", lambda: "arn:operator")
    return lambda *options: json.loads(keyturn("repair", "--yes", "--json", *options).stdout)


def test_a_sound_keyset(run_repair, cloud):
    """A sound keyset leads to no question and no change; exit status 0."""
    before = cloud.snapshot()
    assert run_repair()["condition"] == "sound"
    result = keyturn("repair")
    assert (result.exit_code, "nothing to repair" in result.stdout) == (0, True)
    assert cloud.snapshot() == before


def test_what_was_lost(deployment, run_repair, lost, booted):
    """The same keyset is restored above any number that readers saw, in the operator's name."""
    good = booted.history.read(booted.history.generations()[-1]).keyset
    done = run_repair()
    assert done.keys() == MEMBERS
    assert (done["condition"], done["source"], done["restored_as"]) == ("lost", 2, 4)
    assert (done["missing"], done["generation"]) == ([2], 4)
    generation = deployment.keysets.read()
    assert (generation.keyset, generation.started_by) == (good, "arn:operator")
    assert json.loads(keyturn("doctor", "--json").stdout)["findings"] == []


def test_a_dry_run_writes_nothing(run_repair, lost, cloud, booted):
    """It lists the generations to restore, and the keys in the newest."""
    before = cloud.snapshot()
    assert run_repair("--dry-run")["restored_as"] == 4
    printed = keyturn("repair", "--dry-run", width=200).stdout
    assert "Restores from the history what was deleted: 2" in printed
    assert "Restores generation 2" in printed
    assert "as generation 4" in printed
    kids = [line.split()[0] for line in printed.splitlines() if line.startswith("  ")]
    keyset = booted.history.read(booted.history.generations()[-1]).keyset
    assert kids == [key.kid for key in keyset.keys]
    assert cloud.snapshot() == before


def test_it_asks_for_the_stack_s_name(lost, run_repair, cloud):
    """Anything else is invalid usage, and nothing is done; --json never asks."""
    before = cloud.snapshot()
    assert keyturn("repair", text="yes\n").exit_code == 2
    assert keyturn("repair", "--json").exit_code == 2
    assert cloud.snapshot() == before
    assert keyturn("repair", text="keyturn\n").exit_code == 0


def test_a_newer_release_is_named(deployment, run_repair, cloud):
    """It prints the schema and that its release must be deployed, and changes nothing."""
    parent = document.digest(deployment.keysets.read().text)
    text = json.dumps({"schema": 99, "parent": parent})
    cloud.ssm.put(f"{PATH}000000000003", text)
    before = cloud.snapshot()
    result = keyturn("repair", "--yes")
    first, second = result.stderr.splitlines()
    assert (result.exit_code, "schema 99" in first, "deploy that release" in second) == (
        1,
        True,
        True,
    )
    assert cloud.snapshot() == before


def test_a_jwks_that_is_not_ours_is_deleted_first(run_repair, cloud, booted):
    """After the remedy's deletion there is nothing to repair: reconcile writes the JWKS."""
    cloud.s3.write(JWKS, b"{}", metadata={"keyturn-generation": "99"})
    result = keyturn("repair", "--yes")
    first, second = result.stderr.splitlines()
    assert ("generation 99" in first, "delete .well-known/jwks.json" in second) == (True, True)
    cloud.s3.delete(JWKS)
    assert run_repair()["condition"] == "sound"


def test_nothing_to_restore_is_said(run_repair, cloud):
    """The error says that neither SSM nor the bucket contains a keyset."""
    cloud.ssm.delete([f"{PATH}00000000000{number}" for number in (1, 2)])
    cloud.s3.delete(JWKS)
    result = keyturn("repair", "--yes")
    assert (result.exit_code, "deploy it again" in result.stderr) == (1, True)


def test_a_jwks_that_cannot_be_written_is_said_after_the_repair(run_repair, lost, deployment, aws):
    """The keyset counts again nevertheless; the remedy publishes it."""
    aws.fail("s3:PutObject", aws.error("AccessDenied"), times=99)
    result = keyturn("repair", "--yes")
    first, second = result.stderr.splitlines()
    assert ("the keyset counts again" in first, "doctor --fix" in second) == (True, True)
    assert deployment.keysets.read().number == 4


def test_a_keyset_that_changes_meanwhile_is_repaired_by_running_it_again(
    run_repair, lost, aws, cloud, deployment
):
    """The remedy says to run it again, and that repairs the keyset."""

    def meanwhile():
        cloud.ssm.put(f"{PATH}000000000002", "{")

    aws.meanwhile("ssm:PutParameter", meanwhile)
    result = keyturn("repair", "--yes")
    assert (result.exit_code, "run `keyturn repair` again" in result.stderr) == (1, True)
    assert run_repair()["restored_as"] == 4
    assert deployment.keysets.read().number == 4


def test_an_unknown_caller_is_the_operator(deployment, lost, monkeypatch):
    """Without the caller's name the repair is the operator's."""

    def denied():
        raise AwsFault("sts:GetCallerIdentity", "AccessDenied")

    monkeypatch.setattr(deployment, "caller", denied)
    assert keyturn("repair", "--yes").exit_code == 0
    assert deployment.keysets.read().started_by == "operator"


@pytest.mark.parametrize("way", [(), ("--direct",)], ids=["workflow", "direct"])
def test_a_revocation_says_to_repair_first(deployment, booted, cloud, way):
    """While no keyset counts, no key can be revoked: both lines name the command."""
    kid = deployment.keyset.active.kid
    cloud.ssm.delete([f"{PATH}{n:012d}" for n in booted.keysets.read_texts()])
    result = keyturn("revoke", kid, "--reason", "leak", "--yes", *way)
    first, second = result.stderr.splitlines()
    assert (result.exit_code, "`keyturn repair`" in first, "`keyturn repair`" in second) == (
        1,
        True,
        True,
    )


def test_deleted_generations(deployment, run_repair, booted, cloud):
    """`jwks_ahead` names the command, which restores the newest from the history."""
    record_changes(booted)
    good = deployment.keyset
    cloud.ssm.delete([f"{PATH}000000000002"])
    [finding] = [
        one
        for one in json.loads(keyturn("doctor", "--json").stdout)["findings"]
        if one["code"] == "jwks_ahead"
    ]
    assert "`keyturn repair`" in finding["remedy"]
    assert run_repair()["condition"] == "lost"
    assert deployment.keyset == good
