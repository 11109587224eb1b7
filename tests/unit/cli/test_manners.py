"""What every verb shares: `--json` as documented, two lines when it fails, `--help` without AWS."""

import json
import re
from pathlib import Path

import pytest

from keyturn.aws.faults import AwsFault
from keyturn.aws.operator.deployment import Deployment
from keyturn.cli.main import app
from tests.unit.cli.running import keyturn

DOCUMENTED = (Path(__file__).parents[3] / "docs/operating.md").read_text()
ON_STACK = {
    "status": (),
    "history": (),
    "doctor": (),
    "cost": (),
    "jwks": (),
    "issue": ("--subject", "alice"),
    "verify": ("a.b.c",),
    "repair": ("--yes",),
    "rotate": ("--yes",),
    "rollback": ("x", "--reason", "drill", "--yes"),
    "revoke": ("--active", "--reason", "drill", "--yes"),
    "client add": ("orders", "--audience", "orders", "--yes"),
    "client show": ("orders",),
    "client list": (),
    "client remove": ("orders", "--yes"),
    "client explain": ("orders",),
    "api add": ("abc123", "--audience", "orders", "--yes"),
    "api show": ("abc123",),
    "api list": (),
    "api remove": ("abc123", "--yes"),
}
SHAPES = {
    "status": ("status",),
    "history": ("history",),
    "history --at": ("history", "--at", "2026-03-01T12:00:00Z"),
    "doctor": ("doctor",),
    "verify": ("verify", "a.b.c"),
    "jwks": ("jwks",),
    "cost": ("cost",),
    "repair": ("repair",),
    "client add": ("client", "add", "orders", "--audience", "orders", "--yes"),
    "client remove": ("client", "remove", "known", "--yes"),
    "client show": ("client", "show", "known"),
    "client explain": ("client", "explain", "known"),
    "client list": ("client", "list"),
    "api add": ("api", "add", "abc123", "--audience", "orders", "--yes"),
    "api remove": ("api", "remove", "known", "--yes"),
    "api show": ("api", "show", "known"),
    "api list": ("api", "list"),
}


def documented(verb: str) -> set[str]:
    """The members of a verb's object, those of its lists left out."""
    table = DOCUMENTED.partition("## JSON")[2].partition("\n## ")[0]
    rows = ((line, line.split("|")[1]) for line in table.splitlines() if "|" in line)
    members = next(line for line, verbs in rows if f"`{verb}`" in verbs).split("|", 2)[2]
    members = members.partition("; with")[0]
    return set(re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", members)))


@pytest.mark.parametrize("verb", SHAPES)
def test_the_documented_shape(deployment, verb):
    """The members that docs/operating.md has, and no others."""
    deployment.client_documents.put("known", '{"audiences": ["orders"]}')
    deployment.api_documents.put("known", '{"audience": "orders"}')
    assert set(json.loads(keyturn(*SHAPES[verb], "--json").stdout)) == documented(verb)


@pytest.mark.parametrize("verb", ON_STACK)
def test_no_stack_is_two_lines(deployment, monkeypatch, verb):
    """It says what went wrong and what to do; exit status 1, nothing on stdout, the stack trace only with --debug."""

    def nowhere(_stack):
        raise AwsFault("cloudformation:DescribeStacks", "ValidationError")

    monkeypatch.setattr(Deployment, "find", nowhere)
    result = keyturn(*verb.split(), *ON_STACK[verb], "--stack", "elsewhere")
    assert (result.exit_code, result.stdout) == (1, "")
    first, second = result.stderr.splitlines()
    assert first.startswith("keyturn: cloudformation:DescribeStacks")
    assert "--stack" in second
    assert isinstance(keyturn(*verb.split(), *ON_STACK[verb], "--debug").exception, AwsFault)


@pytest.mark.parametrize("verb", [*ON_STACK, "local up", "local down", "local url"])
def test_help_needs_nothing(verb):
    """Every command prints its help without AWS, with --json and --debug in it."""
    result = keyturn(*verb.split(), "--help")
    assert result.exit_code == 0
    assert {"--json", "--debug"} <= set(re.findall(r"--\w+", result.stdout))


def test_the_table_of_verbs_is_the_commands():
    """docs/operating.md knows each, those of a group by both words, and no other."""
    groups = {info.name: info.typer_instance for info in app.registered_groups}
    commands = {info.name for info in app.registered_commands}
    commands |= {
        f"{name} {one.name}" for name, of in groups.items() if of for one in of.registered_commands
    }
    table = DOCUMENTED.partition("| verb |")[2].partition("\n\n")[0]
    first = " ".join(line.partition("|")[2].partition("|")[0] for line in table.splitlines())
    assert set(re.findall(r"`([\w ]+)`", first)) == commands


def test_an_unknown_word_is_bad_usage():
    """An unknown command ends with exit status 2."""
    assert keyturn("nonsense").exit_code == 2
    assert keyturn("status", "--nonsense").exit_code == 2
