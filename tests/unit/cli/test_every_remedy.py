"""Every remedy that doctor or an error names is executed by a test, or has the reason why none can.

`@pytest.mark.remedy("code", …)` marks a test, in this folder or in tests/e2e, that does what the remedy says.
Remedies that only a runbook names are in tests/e2e/test_runbooks.py.
"""

import ast
from pathlib import Path

from keyturn.cli import remedies

ROOT = Path(__file__).parents[3]
CONSTRUCTORS = {"Finding", "_fixed_by_reconcile", "_unreadable_finding"}

CREDENTIALS = "the operator's own credentials and configuration"
DEPLOY = "a deployment with other parameters"
BEYOND_TESTS = {
    "clock_skew": "sets the clock of this machine",
    "jwks_stale_at_edge": "CloudFront: no local engine has an edge",
    "stuck_execution": "a runbook that has a person decide",
    "unreadable": CREDENTIALS,
    **dict.fromkeys(("NoCredentials", "NotSent", "Unreachable"), CREDENTIALS),
    "NewerSchema": "a release that does not exist yet",
    "settings_contradict": DEPLOY,
    "ContradictorySettings": DEPLOY,
    "InvalidSettings": DEPLOY,
    **dict.fromkeys(remedies._BY_CODE, CREDENTIALS),
}


def findings() -> set[str]:
    """The code of every finding in cli/doctor."""
    trees = [ast.parse(p.read_text()) for p in (ROOT / "functions/keyturn/cli/doctor").glob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    named = [call for call in calls if getattr(call.func, "id", "") in CONSTRUCTORS and call.args]
    return {code for call in named for code in codes_of(call)}


def codes_of(call: ast.Call) -> set[str]:
    """The literal code; `{state}_key_disabled` is one of three."""
    match call.args[0]:
        case ast.Constant(value=str(code)):
            return {code}
        case ast.JoinedStr():
            return {f"{state}_key_disabled" for state in ("active", "standby", "grace")}
    return set()  # handed on by a helper


def executed() -> set[str]:
    """What the marked tests carry out."""
    files = [*ROOT.glob("tests/unit/cli/test_*.py"), *ROOT.glob("tests/e2e/test_*.py")]
    calls = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    marks = [
        call
        for call in calls
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.remedy"
    ]
    return {ast.literal_eval(argument) for mark in marks for argument in mark.args}


def test_every_remedy_is_carried_out():
    """A new finding or a new line of advice needs a test that does what it says."""
    named = findings() | remedies._BY_CODE.keys() | {kind.__name__ for kind, _ in remedies._BY_KIND}
    assert len(named) > 30
    assert executed() | BEYOND_TESTS.keys() == named
    assert executed() & BEYOND_TESTS.keys() == set()
