"""The documents agree with the code: parameters, codes, retries, repairs, numbers, files, links.

Other claims are compared in the files beside this one, `test_documented_….py`.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from keyturn.api.gateway import MAX_RESULT
from keyturn.rotation import reconcile
from keyturn.rotation.repairs import Repair
from keyturn.tokens.errors import Code
from keyturn.tokens.jws import MAX_BYTES
from tests.definition import ROOT, STATES
from tests.documents.pages import PAGES, PRESENT, anchors, code, rows, section
from tests.simulation.mutants.catalogue import DELAY_MUTANTS, LONG_RUN_MUTANTS, MUTANTS
from tests.template import TEMPLATE
from tests.vectors.recipe import load
from tools.release.package import NAME, VERSION

PARAMETERS: Mapping[str, Any] = TEMPLATE["Parameters"]
TEMPLATES = [
    TEMPLATE,
    *(cfn_yaml.load(str(file)) for file in (ROOT / "examples").glob("*/template.yaml")),
]


# ---- Parameters, outputs


@pytest.mark.parametrize("page", PRESENT)
def test_every_parameter_and_output_exists(page: str) -> None:
    """A parameter or output that a page names is in the template, or in an example's."""
    text = " ".join(PAGES[page].split())
    parameters = set(re.findall(r"\b(?:[Pp]arameters?|[Ss]ettings?) `([A-Z]\w+)`", text))
    assert parameters <= {name for one in TEMPLATES for name in one["Parameters"]}
    outputs = set(re.findall(r"\b[Oo]utputs? `([A-Z]\w+)`", text))
    outputs |= set(re.findall(r"OutputKey=='(\w+)'", text))
    assert outputs <= {name for one in TEMPLATES for name in one["Outputs"]}


# ---- Tokens


def test_every_code_of_a_refusal_is_described() -> None:
    """docs/tokens.md has each code beside its check, and no other."""
    table = rows(section(PAGES["docs/tokens.md"], "What verification insists on"))
    assert {one for row in table for one in code(row[3])} == set(Code)


def test_a_token_is_as_large_as_described() -> None:
    """docs/tokens.md has the largest token and the largest answer."""
    assert f"a token {MAX_BYTES:,} bytes" in " ".join(PAGES["docs/tokens.md"].split())
    assert f"An answer has at most {MAX_RESULT:,} bytes" in PAGES["docs/tokens.md"]


# ---- The workflow


def test_the_steps_are_tried_as_often_as_the_runbook_says() -> None:
    """The runbook has the attempts of the probe, of a rotation's steps and of an emergency's."""
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
    """docs/workflow.md has each repair, in order, by its name in the log."""
    described = [row[0].replace(" the ", " ").replace(" an ", " ").replace("-", "").lower().replace(" ", "_")
                 for row in rows(section(PAGES["docs/workflow.md"], "Reconcile"))]  # fmt: skip
    assert described == [Repair.RESTORE_GENERATIONS, *reconcile._REPAIRS]


# ---- Numbers, versions, files, links


@pytest.mark.parametrize("page", ["README.md", "docs/proof.md"])
def test_there_are_as_many_mutants_and_vectors_as_a_page_says(page: str) -> None:
    """There are more than the round number on the page, and at most a fifth more."""
    text = " ".join(PAGES[page].split())
    mutants = len((*MUTANTS, *DELAY_MUTANTS, *LONG_RUN_MUTANTS))
    [said] = re.findall(r"(\d+) deliberate (?:mutants|faults)", text)
    assert int(said) < mutants <= 1.2 * int(said)
    vectors = sum(len(load(file)) for file in (ROOT / "tests/vectors").glob("*.json"))
    [said] = re.findall(r"([\d,]+) (?:tokens that|named cases)", text)
    assert int(said.replace(",", "")) < vectors <= 1.2 * int(said.replace(",", ""))


def test_there_are_as_many_invariants_as_the_readme_says() -> None:
    """docs/proof.md states each invariant, and docs/design.md says what ensures it."""
    stated, held = (
        [row[0] for row in rows(PAGES[page]) if re.fullmatch(r"[SL]\d+", row[0])]
        for page in ("docs/proof.md", "docs/design.md")
    )
    assert len(stated) == len(set(stated)) == 20
    assert sorted(stated) == sorted(held)
    assert "twenty invariants" in " ".join(PAGES["README.md"].split())


def test_the_version_stands_in_one_place() -> None:
    """The lock, the changelog and every page that names a release have the version of pyproject.toml.

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
    """A code span that is a path of this repository, or of the product's package, exists."""
    tops = ("docs", "examples", "functions", "statemachine", "tests", "tools", ".ci", ".github")
    rooms = {folder.name for folder in (ROOT / "functions/keyturn").iterdir() if folder.is_dir()}
    for text in code(PAGES[page]):
        path = PurePosixPath(text.partition("::")[0])
        if path.parts and path.parts[0] in tops and re.fullmatch(r"[\w./-]+", str(path)):
            assert (ROOT / path).exists(), text
        if path.suffix == ".py" and path.parts[0] in rooms:
            assert (ROOT / "functions/keyturn" / path).exists(), text


def test_every_room_of_the_tests_and_tools_is_described() -> None:
    """Each README has its folders, and `make test` runs those of the tests' first table but the last."""
    page = PAGES["tests/README.md"]
    first = [code(row[0])[0].rstrip("/") for row in rows(section(page, "Tests"))]
    pytest_runs = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]
    paths = [path.removeprefix("tests/") for path in pytest_runs["ini_options"]["testpaths"]]
    assert sorted(paths) == sorted(first[:-1])
    for top in ("tests", "tools"):
        described = {code(row[0])[0].split("/")[0] for row in rows(PAGES[f"{top}/README.md"])}
        assert {file.parent.name for file in (ROOT / top).glob("*/*.py")} <= described


def test_the_index_has_every_page() -> None:
    """docs/README.md links to each page, runbook and decision."""
    linked = set(re.findall(r"\]\(([\w/.-]+\.md)", PAGES["docs/README.md"]))
    pages = {name.removeprefix("docs/") for name in PAGES if name.startswith("docs/")}
    assert pages - {"README.md"} <= linked


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    """A link leads to a file that exists, and within it to a heading that exists."""
    folder = (ROOT / page).parent
    for target, anchor in re.findall(r"\]\((?!https?:|mailto:)([^)#]*)#?([^)]*)\)", PAGES[page]):
        file = (folder / target).resolve() if target else ROOT / page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text()), f"{target}#{anchor}"
