"""Cut the sessions of the role that signs: whoever holds its credentials can do nothing any more."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import boto3

from keyturn.aws.faults import translated
from keyturn.aws.functions import physical_id

_POLICY = "keyturn-cut-sessions"


def cut_sessions(stack: str, now: datetime) -> str:
    """Deny everything to the issuer role's sessions issued before `now`, and replace its containers.

    Returns the role's name. Source: IAM User Guide, "Revoking IAM role temporary security
    credentials". The functions that hold the role are told a new description: that makes Lambda
    start new containers, with new sessions.
    """
    role = physical_id(stack, "IssueTokenFunctionRole")
    with translated("iam:PutRolePolicy"):
        boto3.client("iam").put_role_policy(
            RoleName=role, PolicyName=_POLICY, PolicyDocument=json.dumps(_denial(now))
        )
    for function in ("IssueTokenFunction", "ProbeKeyFunction"):
        with translated("lambda:UpdateFunctionConfiguration"):
            boto3.client("lambda").update_function_configuration(
                FunctionName=physical_id(stack, function),
                Description=f"sessions cut at {now.isoformat(timespec='seconds')}",
            )
    return role


def _denial(now: datetime) -> Mapping[str, Any]:
    before = {"DateLessThan": {"aws:TokenIssueTime": now.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": before}
    return {"Version": "2012-10-17", "Statement": [statement]}
