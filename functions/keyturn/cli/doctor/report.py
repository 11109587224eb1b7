"""Findings as text."""

from collections import Counter
from collections.abc import Iterable

from rich.padding import Padding
from rich.text import Text

from keyturn.cli.doctor.findings import Finding, Severity
from keyturn.cli.terminal import Terminal

_STYLES = {Severity.CRITICAL: "bold red", Severity.ERROR: "red", Severity.WARNING: "yellow"}
_SIGNS = {Severity.CRITICAL: "✗✗", Severity.ERROR: "✗ ", Severity.WARNING: "! "}


_SHOWN = 5  # of each kind; --json has all of them


def say_findings(terminal: Terminal, findings: Iterable[Finding]) -> None:
    """Print each finding with severity, name and problem, and the remedy below."""
    numbers: Counter[str] = Counter()
    for finding in findings:
        numbers[finding.code] += 1
        if numbers[finding.code] > _SHOWN:
            continue
        style = _STYLES[finding.severity]
        sign = Text(f"{_SIGNS[finding.severity]} {finding.severity}", style=style)
        terminal.say(Text.assemble(sign, "  ", (finding.code, "dim")))
        terminal.say(Padding(Text(finding.problem), (0, 0, 0, 3)))
        terminal.say(Padding(Text.assemble(("→ ", "bold"), finding.remedy), (0, 0, 0, 3)))
    for code, number in numbers.items():
        if number > _SHOWN:
            terminal.say(f"{number - _SHOWN} more of {code}: --json lists all", "dim")
