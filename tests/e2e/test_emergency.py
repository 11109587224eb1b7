"""Emergencies on the local AWS with the operator's command; `make demo` has one under load."""

from pathlib import Path

import boto3
import pytest

from keyturn.aws.executions import RUNNING
from keyturn.aws.operator.deployment import Deployment
from tests.e2e.conftest import finish, keyturn, start_rotation
from tools.demo import story


@pytest.mark.parametrize(
    "state", ["WaitForPropagation", "PublishJwksAfterActivate", "WaitForGrace"]
)
def test_a_revocation_in_the_middle_of_a_rotation(deployment: Deployment, state: str) -> None:
    """The revocation is proved, the rotation succeeds, and the keyset is at rest afterwards."""
    before = story.at_rest(deployment)
    execution = start_rotation(deployment, before.active.kid)
    story.reach(deployment, execution, state)

    answer = keyturn("revoke", "--active", "--reason", "test", "--yes")

    (revoked,) = answer["kids"]
    assert answer["proof"]["bound"] == deployment.revocation_bound.total_seconds()
    assert finish(deployment, execution)[-1].state in {"Overtaken", "Rotated"}
    after = story.at_rest(deployment)
    assert after.keyset.get(revoked).state == "revoked"
    assert not deployment.kms.describe(after.keyset.get(revoked).kms_key_arn).enabled


def test_all_keys_at_once(deployment: Deployment) -> None:
    """`revoke --all` makes a new active key and a new standby."""
    before = story.at_rest(deployment)
    answer = keyturn("revoke", "--all", "--reason", "test", "--yes")
    assert set(answer["kids"]) == {before.active.kid, before.standby.kid}
    after = story.at_rest(deployment)
    assert {after.active.kid, after.standby.kid}.isdisjoint(answer["kids"])
    story.lets_in(deployment)


def test_the_standby_alone(deployment: Deployment, tmp_path: Path) -> None:
    """Revoking the standby leaves the active key alone; a token of another key proves nothing."""
    before = story.at_rest(deployment)
    other = tmp_path / "token"
    other.write_text(story.new_token(deployment))
    answer = keyturn(
        *("revoke", before.standby.kid, "--reason", "test", "--yes", "--proof-token", str(other))
    )
    assert answer["proof"] is None
    after = story.at_rest(deployment)
    assert after.active.kid == before.active.kid
    assert after.standby.kid != before.standby.kid


def test_break_glass(deployment: Deployment) -> None:
    """`revoke --direct` works without Step Functions and the rotation's Lambdas: it starts no execution."""
    before = story.at_rest(deployment)
    machine = deployment.outputs["StateMachineArn"]
    states = deployment.clients.states
    started = len(states.list_executions(stateMachineArn=machine)["executions"])
    answer = keyturn("revoke", "--active", "--direct", "--cut-sessions", "--reason", "x", "--yes")
    assert answer["kids"] == [before.active.kid]
    assert answer["problems"] == []
    roles = [role["RoleName"] for role in boto3.client("iam").list_roles()["Roles"]]
    (issuer,) = [name for name in roles if name.startswith("keyturn-IssueTokenFunctionRole")]
    cut = boto3.client("iam").get_role_policy(RoleName=issuer, PolicyName="keyturn-cut-sessions")
    (statement,) = cut["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert "aws:TokenIssueTime" in statement["Condition"]["DateLessThan"]
    assert answer["proof"]["bound"] == deployment.revocation_bound.total_seconds()
    assert len(states.list_executions(stateMachineArn=machine)["executions"]) == started
    assert story.at_rest(deployment).active.kid == before.standby.kid


def test_nothing_happens_without_consent(deployment: Deployment) -> None:
    """A dry run, a missing --yes and an unknown kid change nothing and are reported."""
    generation = deployment.keysets.read()
    assert keyturn("revoke", "--active", "--reason", "x", "--dry-run")["dry_run"] is True
    assert "--yes" in keyturn("revoke", "--active", "--reason", "x", status=2)["error"]
    unknown = keyturn("revoke", "-" + "A" * 42, "--reason", "x", "--yes", status=2)
    assert "not in the keyset: -A" in unknown["error"]
    assert "name KIDs" in keyturn("revoke", "--reason", "x", "--yes", status=2)["error"]
    assert deployment.keysets.read() == generation


@pytest.mark.remedy("rotation_overdue")
def test_rotate_and_roll_back(deployment: Deployment) -> None:
    """A superseded key can sign again while its grace lasts, and both rotations succeed."""
    before = story.at_rest(deployment)
    first = keyturn("rotate", "--yes", "--detach")["execution"]
    story.reach(deployment, first, "WaitForGrace")

    answer = keyturn("rollback", before.active.kid, "--reason", "test", "--yes")

    assert answer["ended"] == "Rotated"
    assert deployment.executions.status(first) in {RUNNING, "SUCCEEDED"}
    after = story.at_rest(deployment)
    assert after.active.kid == before.active.kid
    assert after.keyset.get(before.standby.kid).state == "retired"
