"""Follow an execution from state to state until it ends."""

from keyturn.aws.executions import RUNNING
from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.terminal import CommandFailed, Terminal

_PAUSE = 0.5  # seconds between polls


def follow(terminal: Terminal, deployment: Deployment, execution: str) -> list[str]:
    """The states that it went through; raises CommandFailed unless it succeeds.

    Ctrl-C only stops following: the execution continues.
    """
    visited: list[str] = []
    with terminal.progress("starting") as status:
        while True:
            state = deployment.executions.status(execution)
            names = [visit.state for visit in deployment.executions.visits(execution)]
            for name in names[len(visited) :]:
                terminal.say(f"  {name}")
            visited = names
            if state != RUNNING:
                break
            status.update(visited[-1] if visited else "starting")
            deployment.clock.sleep(_PAUSE)
    if state != "SUCCEEDED":
        cause = deployment.executions.cause(execution)
        raise CommandFailed(
            f"the execution ended {state} in {visited[-1] if visited else 'no state'}: {cause}"
        )
    return visited
