"""`keyturn doctor`: check the whole stack, and with `--fix` do what reconcile does."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

import typer

from keyturn.aws.operator.deployment import Deployment
from keyturn.aws.operator.functions import invoke
from keyturn.cli.doctor.checkup import checkup
from keyturn.cli.doctor.findings import Finding, Fix
from keyturn.cli.doctor.report import say_findings
from keyturn.cli.formatting import count
from keyturn.cli.terminal import ProblemFound, Terminal

FixOption = Annotated[bool, typer.Option("--fix", help="Reconcile now, and enable the schedules.")]


def doctor(terminal: Terminal, deployment: Deployment, *, fix: FixOption = False) -> None:
    """Check the whole stack: each problem, its severity and its remedy."""
    with terminal.progress("checking the stack"):
        findings = checkup(deployment)
    actions: list[str] = []
    if fix and any(finding.fix for finding in findings):
        say_findings(terminal, findings)
        with terminal.progress("fixing"):
            actions = _apply_fixes(deployment, findings)
        terminal.say(f"\nDone: {', '.join(actions)}. Checking again.\n")
        with terminal.progress("checking again"):
            findings = checkup(deployment)
    say_findings(terminal, findings)
    problems = count(len(findings), "problem")
    terminal.say(f"\n{problems}." if findings else "All is well.")
    terminal.result({"findings": [asdict(finding) for finding in findings], "fixed": actions})
    if findings:
        raise ProblemFound


def _apply_fixes(deployment: Deployment, findings: Iterable[Finding]) -> list[str]:
    """Fix what can be fixed; returns the actions taken. Raises AwsFault."""
    actions = []
    if any(finding.fix is Fix.RECONCILE for finding in findings):
        invoke(deployment.stack, "ReconcileFunction")
        actions.append("reconcile")
    for finding in findings:
        if finding.fix is Fix.ENABLE_SCHEDULE and finding.subject:
            deployment.schedules.enable(finding.subject)
            actions.append(f"enabled {finding.subject}")
    return actions
