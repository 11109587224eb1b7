"""Text that others wrote, on the operator's terminal: printed as it is, harmless, and never fatal."""

import io

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from keyturn.aws.executions import Execution, Visit
from keyturn.aws.faults import AwsFault
from keyturn.cli.terminal import Terminal, plain_text
from keyturn.keyset.model import EndedKey, Origin
from keyturn.keyset.transitions import revoke
from tests.unit.cli.running import keyturn
from tests.unit.stage import START, active_key, truth

HOSTILE = {
    "closing tag": ("[/]", "[/]"),
    "style": ("[red]x[/red]", "[red]x[/red]"),
    "link": ("[link=https://evil.example]x[/]", "[link=https://evil.example]x[/]"),
    "window title": ("a\x1b]0;owned\x07b", "a]0;ownedb"),
    "clear screen": ("a\x1b[2Jb\x9b31m", "a[2Jb31m"),
    "return": ("bad\rgood\b", "badgood"),
    "bidi": ("a\u202eb\u2066c", "abc"),
    "emoji code": (":skull:", ":skull:"),
    "surrogate": ("a\udc80b", "ab"),
}


def controls(printed: str) -> set[str]:
    """What a terminal would act on."""
    return {character for character in printed if plain_text(character) != character}


@pytest.mark.parametrize("name", HOSTILE)
def test_text_is_printed_as_it_is_without_what_a_terminal_acts_on(name, capsys):
    """A line, a Text, a table's cell and a line to copy print the text, and no control codes."""
    text, harmless = HOSTILE[name]
    terminal = Terminal("demo", as_json=False)
    table = Table()
    table.add_row(text)
    for content in (text, Text(text, "red"), table):
        terminal.say(content)
        printed = capsys.readouterr().out
        assert harmless in printed
        assert not controls(printed)
    terminal.plain(text)
    assert capsys.readouterr().out == harmless + "\n"


@pytest.mark.parametrize("error", [BrokenPipeError, UnicodeEncodeError("ascii", "→", 0, 1, "no")])
def test_a_terminal_that_is_gone_ends_nothing(error, monkeypatch):
    """A closed pipe, a full disk, an encoding that lacks a character."""

    class Broken(io.StringIO):
        def write(self, _text):
            raise error

    monkeypatch.setattr("os.dup2", lambda *_: None)  # Rich would silence the tests, too
    terminal = Terminal("demo", as_json=False, console=Console(file=Broken()))
    terminal.say("…")


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "surrogate"])
def test_break_glass_does_all_its_steps_whatever_the_reason_says(deployment, cloud, name):
    """The key is revoked and disabled in KMS with a reason that a terminal would act on."""
    active = active_key(truth(cloud))
    reason = HOSTILE[name][0]
    result = keyturn("revoke", "--active", "--direct", "--reason", reason, "--yes")
    assert "Revoked." in result.stdout, result.output
    assert isinstance(truth(cloud).find(active.kid), EndedKey)
    assert cloud.kms.state(active.kms_key_arn) == "Disabled"


def test_break_glass_disables_though_a_step_fails_with_hostile_words(deployment, cloud, aws):
    """The error text of a step is foreign, too."""
    active = active_key(truth(cloud))

    def fail(*_):
        raise AwsFault("s3:PutObject", "[/red]\x1b[2J")

    deployment.__dict__["well_known"] = type("Site", (), {"read": fail, "write": fail})()
    result = keyturn("revoke", "--active", "--direct", "--reason", "[/]", "--yes")
    assert result.exit_code == 1
    assert not controls(result.output)
    assert isinstance(truth(cloud).find(active.kid), EndedKey)
    assert cloud.kms.state(active.kms_key_arn) == "Disabled"


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "surrogate"])
def test_commands_that_show_what_others_wrote(deployment, booted, machine, web, clock, name):
    """Reasons, starters, inputs, states and JWKS members, in status, history, doctor and jwks."""
    text, harmless = HOSTILE[name]

    def change(keyset, now):
        standby = keyset.standby.kid
        return revoke(keyset, [standby], now, times=booted.times, limits=booted.limits)

    booted.keysets.update(change, Origin("op-2", text, text))
    machine.running = (Execution("arn:run", "RUNNING", START, None),)
    machine.inputs = {"arn:run": {"mode": text, "started_by": text}}
    machine.states = (Visit(text, START, None),)
    web.body = {"keys": [{"kid": text}], "generation": 1, text: text}
    outputs = {verb: keyturn(verb).output for verb in ("status", "history", "doctor", "jwks")}
    assert not {verb for verb, output in outputs.items() if controls(output)}
    assert not {verb for verb, output in outputs.items() if "unexpected" in output}
    assert harmless in outputs["status"]
    assert harmless in outputs["history"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_kid_that_was_typed(deployment, name):
    """The two lines of the error have nothing that a terminal acts on."""
    result = keyturn("revoke", HOSTILE[name][0], "--reason", "x", "--yes")
    assert result.exit_code == 2
    assert not controls(result.stderr)
    assert len(result.stderr.splitlines()) == 2
