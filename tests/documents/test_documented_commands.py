"""Every command, option and target that a document names exists, and every `--json` object is described."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup

from keyturn.cli.main import app
from keyturn.cli.terminal import PROBLEM, USAGE_ERROR
from tests.definition import ROOT
from tests.documents.pages import PAGES, PRESENT, code, rows, section, typed

# Other tools' options that a page names without their command.
FOREIGN_OPTIONS = {"--parameter-overrides", "--config-env", "--disable-rollback", "--from"}


def commands() -> dict[str, set[str]]:
    """Every command of `keyturn` by its words, with its options."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    options = {"": _options(root)}
    for name, command in root.commands.items():
        options[name] = _options(command)
        for inner, subcommand in getattr(command, "commands", {}).items():
            options[f"{name} {inner}"] = _options(subcommand)
    return options


def _options(command: Any) -> set[str]:
    options = {option for parameter in command.params for option in parameter.opts}
    return {option for option in options if option.startswith("--")} | {"--help"}


COMMANDS = commands()
OPTIONS = {option for options in COMMANDS.values() for option in options}


def problem(line: str) -> str | None:
    """What is wrong with a line that begins with `keyturn`."""
    words = shlex.split(line.replace("…", ""), comments=False)[1:]
    words = words[: words.index("|")] if "|" in words else words
    named = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in COMMANDS), "")
    if not named and words and not words[0].startswith(("-", "<")):
        return f"no command {words[0]}"
    if named in ("client", "api", "local") and words[1:]:
        return f"no command {named} {words[1]}"
    options = {word.partition("=")[0] for word in words if re.match(r"--\w", word)}
    unknown = options - (COMMANDS[named] if named else OPTIONS)
    return f"{named} has no {', '.join(sorted(unknown))}" if unknown else None


def lines_of(text: str) -> Iterator[str]:
    """The command lines of `keyturn` that a page shows, in a block or within a sentence."""
    for line in (*typed(text), *code(text)):
        if start := re.match(r"(?:uvx --from \S+ |\.venv/bin/)?(?=keyturn [a-z<-])", line):
            yield line[start.end() :]


@pytest.mark.parametrize("page", PRESENT)
def test_every_command_and_option_exists(page: str) -> None:
    """Every command line of a page is valid, and every option that it names by itself exists."""
    problems = {line: problem(line) for line in lines_of(PAGES[page])}
    assert {line: what for line, what in problems.items() if what} == {}
    alone = {name for text in code(PAGES[page]) for name in re.findall(r"^(--[a-z-]+)", text)}
    assert alone <= OPTIONS | FOREIGN_OPTIONS


@pytest.mark.parametrize(
    "line",
    ["keyturn turn", "keyturn client ban x", "keyturn rotate --force", "keyturn status --at now"],
)
def test_a_command_that_does_not_exist_is_noticed(line: str) -> None:
    """An unknown command and an option of another command are problems."""
    assert problem(line)


def test_the_exit_statuses_are_described() -> None:
    """docs/operating.md has the exit statuses of a problem and of invalid usage."""
    text = " ".join(PAGES["docs/operating.md"].split())
    assert f"{PROBLEM} if the command found a problem or failed" in text
    assert f"{USAGE_ERROR} on invalid usage" in text


def test_the_object_of_every_command_is_described() -> None:
    """docs/operating.md has the `--json` object of every command, and no other; its members: tests/unit/cli."""
    table = rows(section(PAGES["docs/operating.md"], "JSON"))
    described = {re.sub(r" --.*", "", verb) for row in table for verb in code(row[0])}
    assert described == {name for name in COMMANDS if name not in {"", "client", "api", "local"}}


@pytest.mark.parametrize("page", PRESENT)
def test_every_target_of_make_exists(page: str) -> None:
    """A page that has `make …` names a target of the Makefile."""
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    lines = [line for line in (*typed(PAGES[page]), *code(PAGES[page])) if line.startswith("make ")]
    assert {line.split()[1] for line in lines} - {"…"} <= targets
