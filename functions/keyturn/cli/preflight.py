"""Before anything starts: who is calling, and what `--dry-run` can find out about the real run."""

from collections.abc import Callable, Mapping

from keyturn.aws.faults import AwsFault
from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.operator.permissions import Permission, simulate
from keyturn.cli.attempt import Attempt
from keyturn.cli.terminal import CommandFailed, Terminal, UsageError

_CALLER_SECONDS = 3.0
_UNKNOWN_CALLER = "operator"
REASON_LENGTH = 256  # characters, as rotation/plan_rotation.py accepts them


def check_reason(reason: str) -> str:
    """The reason; raises UsageError if the workflow would refuse it."""
    if not 0 < len(reason) <= REASON_LENGTH:
        raise UsageError(f"--reason must have 1 to {REASON_LENGTH} characters")
    return reason


def ask_caller(deployment: Deployment) -> Callable[[], str]:
    """Ask STS, in the background, whose credentials these are. Nothing depends on the answer."""
    attempt = Attempt(deployment.caller, seconds=_CALLER_SECONDS)

    def caller() -> str:
        try:
            return attempt.result()
        except Exception:  # noqa: BLE001 - nothing depends on it
            return _UNKNOWN_CALLER

    return caller


def start_permission(deployment: Deployment) -> Mapping[str, str]:
    """The permission to start an execution."""
    return {"states:StartExecution": deployment.outputs["StateMachineArn"]}


def direct_permissions(deployment: Deployment, kms_key_arns: list[str]) -> Mapping[str, str]:
    """The permissions that `--direct` needs to revoke and to disable; one key stands for all."""
    generation = _parameter_arn(deployment, f"/keyturn/{deployment.stack}/keyset/000000000001")
    return {"ssm:PutParameter": generation, "kms:DisableKey": kms_key_arns[0]}


def document_permission(deployment: Deployment, action: str, parameter: str) -> Mapping[str, str]:
    """The permission to write or delete a client's or an API's document."""
    return {action: _parameter_arn(deployment, parameter)}


def _parameter_arn(deployment: Deployment, name: str) -> str:
    _, partition, _, region, account, *_ = deployment.outputs["StateMachineArn"].split(":")
    return f"arn:{partition}:ssm:{region}:{account}:parameter{name}"


def check_permissions(
    terminal: Terminal, deployment: Deployment, permissions: Mapping[str, str]
) -> dict[str, str]:
    """Ask IAM about each action on its resource; raises CommandFailed if one is denied."""
    try:
        caller = deployment.caller()
        terminal.say(f"These credentials are {caller}.")
        verdicts = {
            action: simulate(caller, action, resource) for action, resource in permissions.items()
        }
    except AwsFault as fault:  # the real run does not depend on it
        terminal.say(f"Cannot tell whose credentials these are: {fault}")
        verdicts = dict.fromkeys(permissions, Permission.UNKNOWN)
    for action, verdict in verdicts.items():
        note = " (needs iam:SimulatePrincipalPolicy)" if verdict is Permission.UNKNOWN else ""
        terminal.say(f"  {action}: {verdict}{note}")
    denied = [action for action, verdict in verdicts.items() if verdict is Permission.DENIED]
    if denied:
        raise CommandFailed(
            f"these credentials may not {' or '.join(denied)}",
            "use others, or add the permission (docs/operating.md)",
        )
    return {action: verdict.value for action, verdict in verdicts.items()}
