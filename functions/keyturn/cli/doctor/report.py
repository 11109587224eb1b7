"""Findings as text."""

from collections.abc import Iterable

from rich.padding import Padding
from rich.text import Text

from keyturn.cli.doctor.findings import Finding, Severity
from keyturn.cli.terminal import Terminal

_STYLES = {Severity.CRITICAL: "bold red", Severity.ERROR: "red", Severity.WARNING: "yellow"}
_SIGNS = {Severity.CRITICAL: "✗✗", Severity.ERROR: "✗ ", Severity.WARNING: "! "}


def say_findings(terminal: Terminal, findings: Iterable[Finding]) -> None:
    """Each with its severity and name, the problem, and the remedy below it."""
    for finding in findings:
        style = _STYLES[finding.severity]
        sign = Text(f"{_SIGNS[finding.severity]} {finding.severity}", style=style)
        terminal.say(Text.assemble(sign, "  ", (finding.code, "dim")))
        terminal.say(Padding(Text(finding.what), (0, 0, 0, 3)))
        terminal.say(Padding(Text.assemble(("→ ", "bold"), finding.remedy), (0, 0, 0, 3)))
