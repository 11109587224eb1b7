"""What the operator's credentials may do, according to IAM's policy simulator."""

from enum import StrEnum

from keyturn.aws.clients import client
from keyturn.aws.faults import AwsFault, translate_errors


class Permission(StrEnum):
    """The simulator's result; `unknown` if these credentials may not use it."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


def simulate(caller_arn: str, action: str, resource_arn: str) -> Permission:
    """Whether the caller's identity policies and permissions boundary allow this.

    Session policies and service control policies may still deny it. Source: IAM API Reference,
    SimulatePrincipalPolicy.
    """
    resource = caller_arn.split(":", 5)[-1]
    if not resource.startswith(
        ("user/", "assumed-role/")
    ):  # root and federated users have no policies
        return Permission.UNKNOWN
    try:
        source = _policy_source(caller_arn)
        with translate_errors("iam:SimulatePrincipalPolicy"):
            results = client("iam").simulate_principal_policy(
                PolicySourceArn=source, ActionNames=[action], ResourceArns=[resource_arn]
            )["EvaluationResults"]
    except AwsFault:
        return Permission.UNKNOWN
    if not results:
        return Permission.UNKNOWN
    allowed = all(result["EvalDecision"] == "allowed" for result in results)
    return Permission.ALLOWED if allowed else Permission.DENIED


def _policy_source(caller_arn: str) -> str:
    """The ARN of a session's role (a session's ARN lacks the path); other ARNs unchanged."""
    resource = caller_arn.split(":", 5)[-1]
    if not resource.startswith("assumed-role/"):
        return caller_arn
    with translate_errors("iam:GetRole"):
        role = client("iam").get_role(RoleName=resource.split("/")[1])["Role"]
    return str(role["Arn"])
