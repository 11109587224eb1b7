"""Revoke the sessions of the issuer's role, so that stolen credentials become useless."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from keyturn.aws.clients import client
from keyturn.aws.faults import translate_errors
from keyturn.aws.operator.functions import resource

POLICY = "keyturn-cut-sessions"


def cut_sessions(stack: str) -> str:
    """Deny everything to the issuer role's existing sessions, and replace its containers.

    Returns the role's name. AWS's clock decides which sessions exist already: with an operator's
    clock that is fast, the new containers' sessions would be denied too. Source: IAM User Guide,
    "Revoking IAM role temporary security credentials". The functions with this role get a new
    description, which makes Lambda start new containers with new sessions. Raises AwsFault.
    """
    role = resource(stack, "IssueTokenFunctionRole")
    with translate_errors("iam:PutRolePolicy"):
        client("iam").put_role_policy(
            RoleName=role.name,
            PolicyName=POLICY,
            PolicyDocument=json.dumps(_deny_policy(role.read_at)),
        )
    for function in ("IssueTokenFunction", "ProbeKeyFunction"):
        name = resource(stack, function).name
        with translate_errors("lambda:UpdateFunctionConfiguration"):
            client("lambda").update_function_configuration(
                FunctionName=name,
                Description=f"sessions cut at {role.read_at.isoformat(timespec='seconds')}",
            )
    return role.name


def _deny_policy(before: datetime) -> Mapping[str, Any]:
    condition = {"DateLessThan": {"aws:TokenIssueTime": before.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}
