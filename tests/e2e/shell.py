"""An operator's shell: a runbook's command as written, with the operator's own values in its gaps."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from keyturn.aws.operator.deployment import Deployment
from tests.definition import ROOT
from tests.documents import runbooks
from tools.command import KEYTURN, Completed, run
from tools.demo import story

AWS = ROOT / "build/env/aws/bin"
COMMANDS = runbooks.commands()


def commands_of(beginning: str) -> list[str]:
    """The runbooks' commands that begin so; one that is written exactly so is meant alone."""
    if beginning in COMMANDS:
        return [beginning]
    texts = [text for text in COMMANDS if text.startswith(beginning)]
    assert texts, f"no runbook has {beginning!r}"
    return texts


def lines_of(beginning: str) -> Iterator[str]:
    """Every line of the scripts of these commands, once."""
    texts = commands_of(beginning)
    yield from {line for text in texts for line in COMMANDS[text].script.splitlines()}


def type_in(
    script: str,
    deployment: Deployment,
    folder: Path,
    environ: Mapping[str, str] | None = None,
) -> Completed:
    """Run a script in this folder, which confirms whatever asks for the stack's name."""
    path = os.pathsep.join([str(AWS), str(KEYTURN.parent), os.environ["PATH"]])
    return run(
        *("bash", "-euo", "pipefail", "-c", _filled_in(script, deployment)),
        input="keyturn\n",
        cwd=folder,
        env={**os.environ, "PATH": path, **(environ or {})},
    )


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
