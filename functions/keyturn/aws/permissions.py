"""What these credentials may do, as far as IAM tells without doing it."""

from enum import StrEnum

from keyturn.aws.clients import client
from keyturn.aws.faults import AwsFault, translate_errors


class Permission(StrEnum):
    """IAM's opinion; `unknown` where these credentials may not ask for it."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


def simulate(caller_arn: str, action: str, resource_arn: str) -> Permission:
    """Whether the caller may do this, by its identity policies and permission boundary.

    Session and service control policies may still refuse. Source: IAM API Reference,
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
    """The role behind a session, whose ARN lacks the role's path; anything else as it is."""
    resource = caller_arn.split(":", 5)[-1]
    if not resource.startswith("assumed-role/"):
        return caller_arn
    with translate_errors("iam:GetRole"):
        role = client("iam").get_role(RoleName=resource.split("/")[1])["Role"]
    return str(role["Arn"])
