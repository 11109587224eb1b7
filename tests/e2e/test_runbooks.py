"""Every command of the runbooks, typed as written, with the AWS CLI, on the local AWS.

The only changes are those that an operator has to make: kids, ARNs, names, and the stack's name where a
command asks for it.
"""

import json
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path

import boto3
import pytest

from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.operator.functions import invoke
from keyturn.keyset import timing
from tests.e2e import shell
from tests.e2e.conftest import finish, start_rotation
from tests.e2e.shell import COMMANDS, commands_of
from tests.e2e.test_doctor import delete_newest
from tools.demo import story

Type = Callable[[str], str]

# The commands that are played here, by their beginnings.
PLAYED: Mapping[str, tuple[str, ...]] = {
    "look": (
        "keyturn status",
        "keyturn history",
        "keyturn doctor",
        "keyturn doctor --fix",
        "keyturn issue --subject test",
        "aws s3api head-object",
        "aws ssm get-parameters-by-path",
        "aws ssm get-parameter ",
        "aws lambda invoke",
        "aws scheduler get-schedule",
        "aws sns get-topic-attributes",
        "curl",
    ),
    "revoke": (
        'keyturn revoke --active --reason "issuer credentials leaked" --yes',
        "keyturn revoke --active --reason …",
        'keyturn revoke <kid> --reason "issuer credentials leaked" --direct --yes',
        "keyturn revoke <kid> --reason …",
        'keyturn revoke <kid> --reason "…" --proof-token token --yes',
    ),
    "audit": ("aws logs filter-log-events",),
    "block": ("keyturn client block", "keyturn client release"),
    "cut off": ("keyturn revoke --client operator",),
    "uncut": ("aws iam delete-role-policy", "aws lambda update-function-configuration"),
    "disable": ("aws kms disable-key", "aws kms enable-key"),
    "repair": ("keyturn repair --dry-run", "keyturn repair"),
    "execution": (
        "aws stepfunctions describe-execution",
        "aws stepfunctions get-execution-history",
        "aws stepfunctions stop-execution",
        "aws stepfunctions list-executions",
    ),
}
ELSEWHERE = {
    "keyturn verify": "test_doctor.py, test_an_issued_token_explained_and_who_counted",
    "keyturn revoke --all": "test_emergency.py, test_all_keys_at_once",
    "keyturn revoke --client": "test_cutoffs.py",
    "keyturn revoke --subject": "test_cutoffs.py",
    "keyturn revoke --token FILE": "test_cutoffs.py",
    "keyturn rotate": "test_emergency.py, test_rotate_and_roll_back",
    "keyturn rollback": "test_emergency.py, test_rotate_and_roll_back",
}
NOT_PLAYED = {
    "aws cloudtrail lookup-events": "the local AWS keeps no trail",
    "aws logs get-query-results": "the local AWS has no Logs Insights",
    "aws apigateway flush-stage-authorizers-cache": "the local AWS caches no answers",
    "aws apigatewayv2 reset-authorizers-cache": "the local AWS caches no answers",
    "aws cloudfront create-invalidation": "the local AWS has no edge",
    "aws stepfunctions redrive-execution": "the local AWS redrives nothing",
}
CUT = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
)


@pytest.fixture(autouse=True)
def _rest(deployment: Deployment) -> None:
    story.at_rest(deployment)


@pytest.fixture
def type_in(deployment: Deployment, tmp_path: Path) -> Type:
    """Type the command that begins so, which must succeed; returns what it prints."""

    def type_in(beginning: str) -> str:
        script = COMMANDS[commands_of(beginning)[0]].script
        ran = shell.type_in(script, deployment, tmp_path)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    return type_in


def test_looking(deployment: Deployment, type_in: Type) -> None:
    """On a healthy stack, every command that looks works, and what repairs finds nothing to do."""
    invoke(deployment.stack, "ReconcileFunction")  # other tests leave it something
    finish(deployment, start_rotation(deployment, "A" * 43))  # not due: the latest run succeeded
    printed = {beginning: type_in(beginning) for beginning in PLAYED["look"]}
    assert "All is well." in printed["keyturn doctor"]
    assert '"reconciled"' in printed["aws lambda invoke"]
    assert '"state":"active"' in printed["aws ssm get-parameter "]
    assert "max-age=" in printed["aws s3api head-object"]
    assert "generation" in printed["curl"]


@pytest.mark.parametrize("beginning", PLAYED["revoke"])
def test_a_compromised_key(
    deployment: Deployment, type_in: Type, tmp_path: Path, beginning: str
) -> None:
    """Each way to revoke ends with the key revoked, and proves it."""
    kid = story.at_rest(deployment).active.kid
    (tmp_path / "token").write_text(story.new_token(deployment))
    assert "Proved: refused" in type_in(beginning)
    assert story.at_rest(deployment).keyset.get(kid).state == "revoked"


def test_a_compromised_client(deployment: Deployment, type_in: Type) -> None:
    """A client is in the audit lines; blocked it is refused, released and cut off it gets good tokens."""
    story.new_token(deployment)
    assert all("token_issued" in type_in(beginning) for beginning in PLAYED["audit"])
    blocked, released = (type_in(beginning) for beginning in PLAYED["block"])
    assert "Proved: refused" in blocked
    assert released.endswith("Released.\n")
    _wait_for_good_tokens(deployment)
    assert all("Proved: refused" in type_in(beginning) for beginning in PLAYED["cut off"])
    _wait_for_good_tokens(deployment)
    story.lets_in(deployment)


def _wait_for_good_tokens(deployment: Deployment) -> None:
    """Until new tokens of the operator are accepted again."""
    times = deployment.settings.times
    deployment.clock.sleep(times.view_ttl + 2 * times.clock_skew + 3)


def test_a_cut_is_removed(deployment: Deployment, type_in: Type) -> None:
    """The policy that cuts sessions is deleted, and the issuer's containers are replaced once more."""
    iam = boto3.client("iam")
    roles = [role["RoleName"] for role in iam.list_roles()["Roles"]]
    (role,) = [name for name in roles if name.startswith("keyturn-IssueTokenFunctionRole")]
    cut = {"RoleName": role, "PolicyName": "keyturn-cut-sessions"}
    iam.put_role_policy(**cut, PolicyDocument=CUT)
    for beginning in PLAYED["uncut"]:
        type_in(beginning)
    assert cut["PolicyName"] not in iam.list_role_policies(RoleName=role)["PolicyNames"]
    story.lets_in(deployment)


def test_a_disabled_key(deployment: Deployment, type_in: Type) -> None:
    """The active key stops signing when it is disabled, and signs again when it is enabled."""
    disable, enable = PLAYED["disable"]
    type_in(disable)
    active = story.at_rest(deployment).active
    assert not deployment.kms.describe(active.kms_key_arn).enabled
    type_in(enable)
    story.lets_in(deployment)


def test_a_keyset_that_is_gone(deployment: Deployment, type_in: Type) -> None:
    """A deleted generation is restored from the history."""
    newest = deployment.keysets.read()
    delete_newest(deployment, newest.number)
    plan, repaired = (type_in(beginning) for beginning in PLAYED["repair"])
    assert "Restores from the history" in plan
    assert "Repaired" in repaired
    assert deployment.keysets.read() == newest


def test_an_execution(deployment: Deployment, type_in: Type) -> None:
    """A waiting execution is listed, read and stopped; reconcile finishes what it did not."""
    execution = start_rotation(deployment, story.at_rest(deployment).active.kid)
    story.reach(deployment, execution, "WaitForGrace")
    described, state, *_ = (type_in(beginning) for beginning in PLAYED["execution"])
    assert "scheduled" in described
    assert state.strip() == '"WaitForGrace"'
    assert deployment.executions.status(execution) == "ABORTED"
    (superseded,) = deployment.keyset.grace
    assert superseded.verify_until
    retirement = timing.retire_after(superseded.verify_until, deployment.settings.times)
    while deployment.clock.now() <= retirement:
        deployment.clock.sleep(0.25)
    type_in("aws lambda invoke")
    assert deployment.keyset.get(superseded.kid).state == "retired"


@pytest.mark.parametrize("beginning", NOT_PLAYED, ids=lambda beginning: beginning.split()[2])
def test_what_the_local_aws_does_not_play(
    beginning: str, deployment: Deployment, tmp_path: Path
) -> None:
    """The AWS CLI knows the command and all its arguments: it fails only at the connection."""
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
    variables = {"logs": "a-group", "query": "an-id", "distribution": "E123"}
    for line in shell.lines_of(beginning):
        ran = shell.type_in(line, deployment, tmp_path, {**nowhere, **variables})
        assert "Could not connect to the endpoint URL" in ran.stderr


def test_no_command_is_missing() -> None:
    """A new command in a runbook needs a test here."""
    played = {text for one in chain(*PLAYED.values()) for text in commands_of(one)}
    unplayed = {text for one in (*ELSEWHERE, *NOT_PLAYED) for text in commands_of(one)}
    assert played | unplayed == COMMANDS.keys()
    assert played & unplayed == set()
