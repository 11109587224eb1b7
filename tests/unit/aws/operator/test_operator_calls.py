"""What only the operator's command asks of AWS: the cut of sessions, and what IAM would allow."""

import json

import pytest
from botocore.stub import Stubber

from keyturn.aws.clients import client
from keyturn.aws.operator import functions, permissions, sessions
from keyturn.aws.operator.permissions import Permission, simulate
from keyturn.aws.operator.sessions import cut_sessions

DATE = "Sun, 01 Mar 2026 12:00:07 GMT"


@pytest.fixture
def stubbed(region, monkeypatch):
    """One client a service, answered by a Stubber."""
    real = {name: client(name) for name in ("cloudformation", "iam", "lambda")}
    for module in (functions, permissions, sessions):
        monkeypatch.setattr(module, "client", lambda name, **_: real[name])
    stubs = {name: Stubber(one) for name, one in real.items()}
    for stub in stubs.values():
        stub.activate()
    yield stubs
    for stub in stubs.values():
        stub.assert_no_pending_responses()


def described(name: str):
    """CloudFormation's answer, with the instant by its clock."""
    detail = {
        "LogicalResourceId": "x",
        "ResourceType": "x",
        "LastUpdatedTimestamp": 0,
        "ResourceStatus": "CREATE_COMPLETE",
        "PhysicalResourceId": name,
    }
    headers = {"date": DATE}
    metadata = {"HTTPStatusCode": 200, "HTTPHeaders": headers}
    return {"StackResourceDetail": detail, "ResponseMetadata": metadata}


def test_sessions_are_cut_by_aws_clock(stubbed):
    """The instant is the Date of AWS's answer: a fast clock here would cut fresh sessions, too."""
    statement = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-03-01T12:00:07Z"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    for name in ("role", "issuer", "probe"):
        stubbed["cloudformation"].add_response("describe_stack_resource", described(name))
    stubbed["iam"].add_response(
        "put_role_policy",
        {},
        {"RoleName": "role", "PolicyName": "keyturn-cut-sessions", "PolicyDocument": policy},
    )
    for name in ("issuer", "probe"):
        stubbed["lambda"].add_response(
            "update_function_configuration",
            {},
            {"FunctionName": name, "Description": "sessions cut at 2026-03-01T12:00:07+00:00"},
        )
    assert cut_sessions("demo") == "role"


@pytest.mark.parametrize(
    ("decision", "permission"),
    [
        ("allowed", Permission.ALLOWED),
        ("implicitDeny", Permission.DENIED),
        ("explicitDeny", Permission.DENIED),
    ],
)
def test_iam_is_asked_about_the_role_behind_the_session(stubbed, decision, permission):
    """IAM gets the role's path, which the session's ARN lacks."""
    role = "arn:aws:iam::123456789012:role/team/ops"
    stubbed["iam"].add_response(
        "get_role",
        {
            "Role": {
                "Path": "/team/",
                "RoleName": "ops-role",
                "RoleId": "A" * 16,
                "Arn": role,
                "CreateDate": 0,
            }
        },
        {"RoleName": "ops-role"},
    )
    result = {"EvalActionName": "states:StartExecution", "EvalDecision": decision}
    stubbed["iam"].add_response(
        "simulate_principal_policy",
        {"EvaluationResults": [result]},
        {
            "PolicySourceArn": role,
            "ActionNames": ["states:StartExecution"],
            "ResourceArns": ["arn:machine"],
        },
    )
    caller = "arn:aws:sts::123456789012:assumed-role/ops-role/alice"
    assert simulate(caller, "states:StartExecution", "arn:machine") is permission


def test_who_may_not_ask_does_not_know(stubbed):
    """That is no denial of the action itself."""
    stubbed["iam"].add_client_error("simulate_principal_policy", "AccessDenied")
    caller = "arn:aws:iam::123456789012:user/ops"
    assert simulate(caller, "states:StartExecution", "arn:machine") is Permission.UNKNOWN


@pytest.mark.parametrize("name", ["root", "federated-user/alice"])
def test_who_has_no_policies_is_not_simulated(stubbed, name):
    """IAM simulates users and roles only; no call is made."""
    caller = f"arn:aws:iam::123456789012:{name}"
    assert simulate(caller, "states:StartExecution", "arn:machine") is Permission.UNKNOWN
