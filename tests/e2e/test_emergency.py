"""Emergencies on the local AWS by the operator's command; `make demo` has one under load."""

from pathlib import Path

import boto3
import pytest

from keyturn.aws.executions import RUNNING
from keyturn.aws.operator.deployment import Deployment
from tests.e2e.conftest import Finish, Keyturn, asking_for
from tools.demo import story


@pytest.mark.parametrize(
    "state", ["WaitForPropagation", "PublishJwksAfterActivate", "WaitForGrace"]
)
def test_a_revocation_in_the_middle_of_a_rotation(
    deployment: Deployment, keyturn: Keyturn, finish: Finish, state: str
) -> None:
    """The key is out and proved; the rotation ends green and nothing is left behind."""
    before = story.at_rest(deployment)
    execution = deployment.start(asking_for(before.active.kid))
    story.reach(deployment, execution, state)

    said = keyturn("revoke", "--active", "--reason", "test", "--yes")

    (revoked,) = said["kids"]
    assert said["proof"]["seconds"] <= said["proof"]["bound"] + 5
    assert finish(deployment, execution)[-1].state in {"Overtaken", "Rotated"}
    after = story.at_rest(deployment)
    assert after.keyset.get(revoked).state == "revoked"
    assert not deployment.kms.describe(after.keyset.get(revoked).kms_key_arn).enabled


def test_all_keys_at_once(deployment: Deployment, keyturn: Keyturn) -> None:
    """`--all` makes a new active key and a new standby; every token before is refused."""
    before = story.at_rest(deployment)
    said = keyturn("revoke", "--all", "--reason", "test", "--yes")
    assert set(said["kids"]) == {before.active.kid, before.standby.kid}
    after = story.at_rest(deployment)
    assert {after.active.kid, after.standby.kid}.isdisjoint(said["kids"])
    story.lets_in(deployment)


def test_the_standby_alone(deployment: Deployment, keyturn: Keyturn, tmp_path: Path) -> None:
    """Revoking the standby touches no signer; a token of another key proves nothing."""
    before = story.at_rest(deployment)
    other = tmp_path / "token"
    other.write_text(story.new_token(deployment))
    said = keyturn(
        *("revoke", before.standby.kid, "--reason", "test", "--yes", "--proof-token", str(other))
    )
    assert said["proof"] is None
    after = story.at_rest(deployment)
    assert after.active.kid == before.active.kid
    assert after.standby.kid != before.standby.kid


def test_break_glass(deployment: Deployment, keyturn: Keyturn) -> None:
    """`--direct` needs neither Step Functions nor the rotation's Lambdas: no execution is started."""
    before = story.at_rest(deployment)
    machine = deployment.outputs["StateMachineArn"]
    states = deployment.clients.states
    started = len(states.list_executions(stateMachineArn=machine)["executions"])
    said = keyturn("revoke", "--active", "--direct", "--cut-sessions", "--reason", "x", "--yes")
    assert said["kids"] == [before.active.kid]
    assert said["problems"] == []
    roles = [role["RoleName"] for role in boto3.client("iam").list_roles()["Roles"]]
    (issuer,) = [name for name in roles if name.startswith("keyturn-IssueTokenFunctionRole")]
    cut = boto3.client("iam").get_role_policy(RoleName=issuer, PolicyName="keyturn-cut-sessions")
    (statement,) = cut["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert "aws:TokenIssueTime" in statement["Condition"]["DateLessThan"]
    assert said["proof"]["seconds"] <= said["proof"]["bound"] + 5
    assert len(states.list_executions(stateMachineArn=machine)["executions"]) == started
    assert story.at_rest(deployment).active.kid == before.standby.kid


def test_nothing_happens_without_consent(deployment: Deployment, keyturn: Keyturn) -> None:
    """A dry run, a missing --yes and an unknown kid change nothing and say so."""
    generation = deployment.keysets.read()
    assert keyturn("revoke", "--active", "--reason", "x", "--dry-run")["dry_run"] is True
    assert "--yes" in keyturn("revoke", "--active", "--reason", "x", status=2)["error"]
    unknown = keyturn("revoke", "-" + "A" * 42, "--reason", "x", "--yes", status=2)
    assert "not in the keyset: -A" in unknown["error"]
    assert "name KIDs" in keyturn("revoke", "--reason", "x", "--yes", status=2)["error"]
    assert deployment.keysets.read() == generation


@pytest.mark.remedy("rotation_overdue")
def test_rotate_and_roll_back(deployment: Deployment, keyturn: Keyturn) -> None:
    """A superseded key signs again while its grace lasts, and both turns end green."""
    before = story.at_rest(deployment)
    first = keyturn("rotate", "--yes", "--detach")["execution"]
    story.reach(deployment, first, "WaitForGrace")

    said = keyturn("rollback", before.active.kid, "--reason", "test", "--yes")

    assert said["ended"] == "Rotated"
    assert deployment.executions.status(first) in {RUNNING, "SUCCEEDED"}
    after = story.at_rest(deployment)
    assert after.active.kid == before.active.kid
    assert after.keyset.get(before.standby.kid).state == "retired"
