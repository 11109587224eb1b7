"""The documents say what is so: commands, parameters, periods, numbers, files, links.

What they say of log lines, metrics and alarms: test_documented_signals.py. What only a person can judge is
left to people.
"""

import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

import pytest
import typer.main
from cfnlint.decode import cfn_yaml

from keyturn.cli.main import app
from keyturn.keyset.timing import BOUNDS, Limits
from tests.definition import ROOT, STATES, snake
from tests.documents import PAGES, PRESENT, anchors, code, rows, section, typed
from tests.release.package import NAME, VERSION
from tests.simulation.mutants.catalogue import DELAY_MUTANTS, LONG_RUN_MUTANTS, MUTANTS
from tests.template import TEMPLATE
from tests.vectors.recipe import load

PARAMETERS: Mapping[str, Any] = TEMPLATE["Parameters"]
TEMPLATES = [
    TEMPLATE,
    *(cfn_yaml.load(str(file)) for file in (ROOT / "examples").glob("*/template.yaml")),
]
# What other tools' options are called where a page names one without its command.
FOREIGN_OPTIONS = {"--parameter-overrides", "--config-env", "--disable-rollback", "--from"}


# ---- The command


def commands() -> dict[str, set[str]]:
    """Every command of `keyturn` by its words, with its options."""
    root = typer.main.get_command(app)
    found: dict[str, set[str]] = {"": _options(root)}
    for name, command in root.commands.items():
        found[name] = _options(command)
        for inner, one in getattr(command, "commands", {}).items():
            found[f"{name} {inner}"] = _options(one)
    return found


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
    asked = {word.partition("=")[0] for word in words if re.match(r"--\w", word)}
    unknown = asked - (COMMANDS[named] if named else OPTIONS)
    return f"{named} has no {', '.join(sorted(unknown))}" if unknown else None


def lines_of(text: str) -> Iterator[str]:
    """The command lines of `keyturn` that a page shows, in a block or within a sentence."""
    for line in (*typed(text), *code(text)):
        if start := re.match(r"(?:uvx --from \S+ |\.venv/bin/)?(?=keyturn [a-z<-])", line):
            yield line[start.end() :]


@pytest.mark.parametrize("page", PRESENT)
def test_every_command_and_option_exists(page: str) -> None:
    """Also an option that a page names by itself."""
    wrong = {line: problem(line) for line in lines_of(PAGES[page])}
    assert {line: what for line, what in wrong.items() if what} == {}
    alone = {name for text in code(PAGES[page]) for name in re.findall(r"^(--[a-z-]+)", text)}
    assert alone <= OPTIONS | FOREIGN_OPTIONS


@pytest.mark.parametrize(
    "line",
    ["keyturn turn", "keyturn client ban x", "keyturn rotate --force", "keyturn status --at now"],
)
def test_a_command_that_does_not_exist_is_noticed(line: str) -> None:
    """Another word, or an option of another command."""
    assert problem(line)


# ---- Parameters, outputs, periods


@pytest.mark.parametrize("page", PRESENT)
def test_every_parameter_and_output_exists(page: str) -> None:
    """Where a page calls it so: in the template, or in an example's."""
    text = " ".join(PAGES[page].split())
    parameters = set(re.findall(r"\b(?:[Pp]arameters?|[Ss]ettings?) `([A-Z]\w+)`", text))
    assert parameters <= {name for one in TEMPLATES for name in one["Parameters"]}
    outputs = set(re.findall(r"\b[Oo]utputs? `([A-Z]\w+)`", text))
    outputs |= set(re.findall(r"OutputKey=='(\w+)'", text))
    assert outputs <= {name for one in TEMPLATES for name in one["Outputs"]}


def test_the_periods_are_the_templates() -> None:
    """docs/time.md has each period with its default and bounds."""
    found = {}
    for row in rows(section(PAGES["docs/time.md"], "The periods")):
        low, high = (int(bound.replace(",", "")) for bound in row[3].split(" to "))
        found[code(row[1])[0]] = (int(row[2].replace(",", "")), (low, high))
    assert found == {
        name: (PARAMETERS[name]["Default"], BOUNDS[snake(name)])
        for name in PARAMETERS
        if snake(name) in BOUNDS
    }


def test_the_fixed_ages_are_the_codes() -> None:
    """docs/time.md has each, and doctor's row about a missing standby says when it is one."""
    limits = Limits()
    ages = (
        limits.newborn_age,
        limits.settling_time,
        limits.registration_age,
        limits.orphan_age,
        limits.ended_age,
    )
    named = {_words(age) for age in (*ages, limits.generation_age)}
    named |= {
        f"{limits.generation_count} generations",
        f"{limits.live_keys} live keys",
        f"{limits.listed_keys} keys",
    }
    assert named == {
        row[0] for row in rows(section(PAGES["docs/time.md"], "The fixed ages and numbers"))
    }
    [row] = [row for row in rows(PAGES["docs/operating.md"]) if row[0] == "`no_standby`"]
    assert limits.settling_time == timedelta(minutes=10)
    assert "ten minutes after the last change" in row[3]


def _words(age: timedelta) -> str:
    minutes = int(age.total_seconds()) // 60
    number, unit = (minutes, "minute") if minutes < 60 else (minutes // 60, "hour")
    return f"{number} {unit}{'s' if number > 1 else ''}"


# ---- The workflow


def test_the_steps_are_tried_as_often_as_the_runbook_says() -> None:
    """Of the probe, of a step of a rotation, of one of an emergency."""
    tries = {
        name: [str(1 + one["MaxAttempts"]) for one in state["Retry"] if one["MaxAttempts"]]
        for name, state in STATES.items()
        if state["Type"] == "Task"
    }
    in_words = {"7": "seven", "11": "eleven"}
    table = {code(row[0])[0] if code(row[0]) else row[0]: row[1]
             for row in rows(PAGES["docs/runbooks/stuck-execution.md"])}  # fmt: skip
    assert f"up to {tries['ProbeKey'][0]} attempts" in table["ProbeKey"]
    others = (in_words[tries[name][0]] for name in ("CreateKey", "RevokeKeys"))
    assert "{} attempts, or {} in an emergency".format(*others) in table["any other Task"]


def test_reconcile_makes_its_repairs_in_the_described_order() -> None:
    """docs/workflow.md has each by its name in the log."""
    source = (ROOT / "functions/keyturn/rotation/reconcile.py").read_text()
    run = source.partition("\ndef run(")[2].partition("\ndef ")[0]
    described = [row[0].replace(" the ", " ").replace(" an ", " ").replace("-", "").lower().replace(" ", "_")
                 for row in rows(section(PAGES["docs/workflow.md"], "Reconcile"))]  # fmt: skip
    made = re.findall(r"^        (\w+),", run, re.MULTILINE)
    assert described == ["restore_generations", *made]


# ---- Numbers, versions, files, links


@pytest.mark.parametrize("page", ["README.md", "docs/proof.md"])
def test_there_are_as_many_mutants_and_vectors_as_a_page_says(page: str) -> None:
    """A round number, and not many more."""
    text = " ".join(PAGES[page].split())
    mutants = len((*MUTANTS, *DELAY_MUTANTS, *LONG_RUN_MUTANTS))
    [said] = re.findall(r"(\d+) deliberate (?:mutants|faults)", text)
    assert int(said) < mutants <= 1.2 * int(said)
    vectors = sum(len(load(file)) for file in (ROOT / "tests/vectors").glob("*.json"))
    [said] = re.findall(r"([\d,]+) (?:tokens that must not|named cases)", text)
    assert int(said.replace(",", "")) < vectors <= 1.2 * int(said.replace(",", ""))


def test_there_are_as_many_invariants_as_the_readme_says() -> None:
    """docs/proof.md states each, and docs/design.md says what holds it."""
    stated, held = (
        [row[0] for row in rows(PAGES[page]) if re.fullmatch(r"[SL]\d+", row[0])]
        for page in ("docs/proof.md", "docs/design.md")
    )
    assert len(stated) == len(set(stated)) == 20
    assert sorted(stated) == sorted(held)
    assert "twenty invariants" in " ".join(PAGES["README.md"].split())


def test_the_version_stands_in_one_place() -> None:
    """pyproject.toml has it; the lock, the changelog and every page that names a release follow.

    The template's: test_parameters.py. The command's: tests/e2e/test_wheel.py. The examples':
    test_infrastructure.py.
    """
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    [locked] = [one["version"] for one in lock["package"] if one["name"] == "keyturn"]
    assert locked == VERSION
    [first, *_] = re.findall(r"^## (.+)$", PAGES["CHANGELOG.md"], re.MULTILINE)
    assert VERSION in first
    named = {
        release
        for text in PRESENT.values()
        for release in re.findall(r"keyturn-\d+\.\d+\.\d+", text)
    }
    assert named == {NAME}


@pytest.mark.parametrize("page", PRESENT)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    """A path of this repository, or of the product's package, set as code."""
    tops = ("docs", "examples", "functions", "statemachine", "tests", ".ci", ".github")
    rooms = {folder.name for folder in (ROOT / "functions/keyturn").iterdir() if folder.is_dir()}
    for text in code(PAGES[page]):
        path = PurePosixPath(text.partition("::")[0])
        if path.parts and path.parts[0] in tops and re.fullmatch(r"[\w./-]+", str(path)):
            assert (ROOT / path).exists(), text
        if path.suffix == ".py" and path.parts[0] in rooms:
            assert (ROOT / "functions/keyturn" / path).exists(), text


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    """To a file that exists, and within it to a heading that exists."""
    folder = (ROOT / page).parent
    for target, anchor in re.findall(r"\]\((?!https?:|mailto:)([^)#]*)#?([^)]*)\)", PAGES[page]):
        file = (folder / target).resolve() if target else ROOT / page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text()), f"{target}#{anchor}"
