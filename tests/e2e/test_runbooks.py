"""Every command of the runbooks, typed as it stands there, with the AWS CLI, on the local AWS.

Only what an operator would fill in is filled in: kids, ARNs, names, and the stack's name where a
command asks for it.
"""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import boto3
import pytest

from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.operator.functions import invoke
from keyturn.keyset import timing
from tests.documents import runbooks
from tests.e2e.conftest import Finish, asking_for
from tests.e2e.test_doctor import delete_newest
from tools.command import KEYTURN
from tools.demo import story

AWS = Path(__file__).parents[2] / "build/env/aws/bin"
COMMANDS = runbooks.commands()
Type = Callable[[str], str]

LOOK = (
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
)
REVOKE = (
    'keyturn revoke --active --reason "issuer credentials leaked" --yes',
    "keyturn revoke --active --reason …",
    'keyturn revoke <kid> --reason "issuer credentials leaked" --direct --yes',
    "keyturn revoke <kid> --reason …",
    'keyturn revoke <kid> --reason "…" --proof-token token --yes',
)
CUT = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
)
REMOVE_CUT = ("aws iam delete-role-policy", "aws lambda update-function-configuration")
AUDIT_LINES = "aws logs filter-log-events"
BLOCK = ("keyturn client block", "keyturn client release")
CUT_OFF = "keyturn revoke --client operator"
DISABLE, ENABLE = "aws kms disable-key", "aws kms enable-key"
REPAIR = ("keyturn repair --dry-run", "keyturn repair")
EXECUTION = (
    "aws stepfunctions describe-execution",
    "aws stepfunctions get-execution-history",
    "aws stepfunctions stop-execution",
    "aws stepfunctions list-executions",
)
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


@pytest.fixture
def type_in(deployment: Deployment, tmp_path: Path) -> Type:
    """Type the command that begins so, which must succeed; returns what it prints."""

    def type_in(beginning: str) -> str:
        command = COMMANDS.get(beginning) or COMMANDS[_texts(beginning)[0]]
        ran = _bash(_filled_in(command.script, deployment), tmp_path)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    return type_in


@pytest.fixture(autouse=True)
def _rest(deployment: Deployment) -> None:
    story.at_rest(deployment)


@pytest.fixture
def healthy(deployment: Deployment, finish: Finish) -> None:
    """Nothing is left of other tests: reconcile has been there, and the latest run succeeded."""
    invoke(deployment.stack, "ReconcileFunction")
    finish(deployment, deployment.start(asking_for("A" * 43)))  # finds nothing to do


@pytest.mark.usefixtures("healthy")
def test_looking(type_in: Type) -> None:
    """What only looks works on a healthy stack, and what repairs finds nothing to do."""
    printed = {beginning: type_in(beginning) for beginning in LOOK}
    assert "All is well." in printed["keyturn doctor"]
    assert '"reconciled"' in printed["aws lambda invoke"]
    assert '"state":"active"' in printed["aws ssm get-parameter "]
    assert "max-age=" in printed["aws s3api head-object"]
    assert "generation" in printed["curl"]


@pytest.mark.parametrize("beginning", REVOKE)
def test_a_compromised_key(
    deployment: Deployment, type_in: Type, tmp_path: Path, beginning: str
) -> None:
    """Each way to revoke ends with the key out, and proves it."""
    kid = story.at_rest(deployment).active.kid
    (tmp_path / "token").write_text(story.new_token(deployment))
    assert "Proved: refused" in type_in(beginning)
    assert story.at_rest(deployment).keyset.get(kid).state == "revoked"


def test_a_compromised_client(deployment: Deployment, type_in: Type) -> None:
    """Its audit lines name it; blocked it is refused, released and cut off it gets good tokens."""
    story.new_token(deployment)
    assert "token_issued" in type_in(AUDIT_LINES)
    blocked, released = (type_in(beginning) for beginning in BLOCK)
    assert "Proved: refused" in blocked
    assert released.endswith("Released.\n")
    _patiently(deployment)
    assert "Proved: refused" in type_in(CUT_OFF)
    _patiently(deployment)
    story.lets_in(deployment)


def _patiently(deployment: Deployment) -> None:
    """Until the operator's tokens are good again."""
    times = deployment.settings.times
    deployment.clock.sleep(times.view_ttl + 2 * times.clock_skew + 3)


def test_a_cut_is_taken_away(deployment: Deployment, type_in: Type) -> None:
    """The cut goes, and the issuer's containers are replaced once more."""
    iam = boto3.client("iam")
    roles = [role["RoleName"] for role in iam.list_roles()["Roles"]]
    (role,) = [name for name in roles if name.startswith("keyturn-IssueTokenFunctionRole")]
    cut = {"RoleName": role, "PolicyName": "keyturn-cut-sessions"}
    iam.put_role_policy(**cut, PolicyDocument=CUT)
    for beginning in REMOVE_CUT:
        type_in(beginning)
    assert cut["PolicyName"] not in iam.list_role_policies(RoleName=role)["PolicyNames"]
    story.lets_in(deployment)


def test_a_disabled_key(deployment: Deployment, type_in: Type) -> None:
    """The active key stops signing, and signs again."""
    type_in(DISABLE)
    active = story.at_rest(deployment).active
    assert not deployment.kms.describe(active.kms_key_arn).enabled
    type_in(ENABLE)
    story.lets_in(deployment)


def test_a_keyset_that_is_gone(deployment: Deployment, type_in: Type) -> None:
    """What was deleted comes back from the history."""
    newest = deployment.keysets.read()
    delete_newest(deployment, newest.number)
    plan, repaired = (type_in(beginning) for beginning in REPAIR)
    assert "Restores from the history" in plan
    assert "Repaired" in repaired
    assert deployment.keysets.read() == newest


def test_an_execution(deployment: Deployment, type_in: Type) -> None:
    """One that waits is found, read and stopped; reconcile finishes what it leaves."""
    execution = deployment.start(asking_for(story.at_rest(deployment).active.kid))
    story.reach(deployment, execution, "WaitForGrace")
    read, state, _stopped, _failed = (type_in(beginning) for beginning in EXECUTION)
    assert "scheduled" in read
    assert state.strip() == '"WaitForGrace"'
    assert deployment.executions.status(execution) == "ABORTED"
    (left,) = deployment.keyset.grace
    assert left.verify_until
    while deployment.clock.now() <= timing.retire_after(
        left.verify_until, deployment.settings.times
    ):
        deployment.clock.sleep(0.25)
    type_in("aws lambda invoke")
    assert deployment.keyset.get(left.kid).state == "retired"


@pytest.mark.parametrize("beginning", NOT_PLAYED, ids=lambda beginning: beginning.split()[2])
def test_what_the_local_aws_does_not_play(
    beginning: str, deployment: Deployment, tmp_path: Path
) -> None:
    """The AWS CLI knows the command and all its arguments: it fails at the wire only."""
    nowhere = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"}
    variables = {"logs": "a-group", "query": "an-id", "distribution": "E123"}
    for typed in {
        line for text in _texts(beginning) for line in COMMANDS[text].script.splitlines()
    }:
        ran = _bash(_filled_in(typed, deployment), tmp_path, {**nowhere, **variables})
        assert "Could not connect to the endpoint URL" in ran.stderr


def test_no_command_is_missing() -> None:
    """A new command in a runbook needs a test here."""
    beginnings = (
        *LOOK,
        *REVOKE,
        AUDIT_LINES,
        *BLOCK,
        CUT_OFF,
        *REMOVE_CUT,
        DISABLE,
        ENABLE,
        *REPAIR,
        *EXECUTION,
    )
    known = {text for beginning in beginnings for text in _texts(beginning)}
    unplayed = {text for beginning in (*ELSEWHERE, *NOT_PLAYED) for text in _texts(beginning)}
    assert known | unplayed == COMMANDS.keys()
    assert known & unplayed == set()


def _texts(beginning: str) -> list[str]:
    if beginning in COMMANDS:
        return [beginning]
    texts = [text for text in COMMANDS if text.startswith(beginning)]
    assert texts, f"no runbook says {beginning!r}"
    return texts


def _filled_in(script: str, deployment: Deployment) -> str:
    """The script with the operator's own values in the places that the runbook leaves open."""
    values: Mapping[str, Callable[[], str]] = {
        "<execution>": lambda: _newest_execution(deployment),
        "<arn>": lambda: story.at_rest(deployment).active.kms_key_arn,
        "<kid>": lambda: story.at_rest(deployment).active.kid,
        "<AlertTopicArn>": lambda: deployment.outputs["AlertTopicArn"],
        "<schedule>": lambda: deployment.outputs["ScheduleNames"].split(",")[1],
        "<id>": lambda: "abcdefghij",
        "<stage>": lambda: "v1",
        "--reason …": lambda: "--reason test",
    }
    for place, value in values.items():
        if place in script:
            script = script.replace(place, value())
    return script


def _newest_execution(deployment: Deployment) -> str:
    machine = deployment.outputs["StateMachineArn"]
    answer = deployment.clients.states.list_executions(stateMachineArn=machine)
    return answer["executions"][0]["executionArn"]


def _bash(
    script: str, folder: Path, environ: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join([str(AWS), str(KEYTURN.parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        input="keyturn\n",
        cwd=folder,
        env={**os.environ, "PATH": path, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )
