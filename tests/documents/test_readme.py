"""The README's diagram, commands and examples agree with the code."""

import re

from tests.definition import ROOT
from tests.documents.pages import PAGES
from tools.diagram import with_diagram

README = PAGES["README.md"]
FINISH = "uv run functions/keyturn/cli/finish_build.py"
COMMANDS = re.findall(r"^\$ (.+)$", README, re.MULTILINE)


def test_the_diagram_is_the_table() -> None:
    """The key-life diagram is what `make docs` draws from `keyset/states.py`."""
    assert with_diagram(README) == README
    assert "standby --> active: activate" in README


def test_every_command_is_run_by_a_test() -> None:
    """A command of the README is a target that CI runs, or has its test in e2e/."""
    ci = (ROOT / ".ci/run").read_text()
    targets = [command for command in COMMANDS if command.startswith("make ")]
    assert targets
    assert all(command.removeprefix("make ") in ci for command in targets)
    verbs = [command for command in COMMANDS if command.startswith(".venv/bin/keyturn ")]
    tests = "".join(file.read_text() for file in (ROOT / "tests/e2e").glob("test_*.py"))
    assert all('keyturn("' + '", "'.join(verb.split()[1:3]) + '"' in tests for verb in verbs)
    assert set(COMMANDS) - {*targets, *verbs} == {"sam build", FINISH, "sam deploy"}


def test_what_use_it_shows_is_in_the_examples() -> None:
    """The YAML of docs/use-it.md is in the templates, but for comments; the first: tests/account/test_consumers.py."""
    shown = re.findall(r"```yaml\n(.*?)```", PAGES["docs/use-it.md"], re.DOTALL)
    http, token = (
        re.sub(r"  +#.*", "", (ROOT / f"examples/{name}/template.yaml").read_text())
        for name in ("protected-http-api", "token-client")
    )
    assert shown[1] in http
    assert shown[-1] in token
