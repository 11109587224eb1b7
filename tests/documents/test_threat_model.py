"""docs/threat-model.md: each row has a permission, what it can do, the bound, and tests that exist."""

import re

import pytest

from tests.definition import ROOT
from tests.documents.pages import PAGES, tables
from tests.simulation.adversaries.catalogue import ADVERSARIES
from tests.simulation.mutants.catalogue import MUTANTS

TABLES = list(tables(PAGES["docs/threat-model.md"]))
COLUMNS = ["permission", "worst it can do", "bound", "shown by"]
ROWS = [row for head, body in TABLES if head == COLUMNS for row in body]
NAMES = {actor.__name__ for actor in (*ADVERSARIES, *MUTANTS)}


def unshown(row: list[str]) -> list[str]:
    """What is wrong with a row's last column."""
    proofs = re.findall(r"`([^`]+)`", row[3])
    rest = re.sub(r"`[^`]+`|[,;]|\s", "", row[3])
    missing = [proof for proof in proofs if not ((ROOT / proof).is_file() or proof in NAMES)]
    return missing or ([] if proofs and not rest else [row[3] or "nothing shows it"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_row_is_shown_by_a_test_that_exists(row):
    """The last column has files of this repository, adversaries or mutants of the simulator, and nothing else."""
    assert len(row) == len(COLUMNS)
    assert row[1]
    assert unshown(row) == []


def test_every_adversary_has_its_row():
    """Every adversary of the simulator is on the page."""
    named = set(re.findall(r"`(\w+)`", " ".join(row[3] for row in ROWS)))
    assert {adversary.__name__ for adversary in ADVERSARIES} <= named


def test_every_table_of_permissions_has_this_form():
    """Every table about permissions has these columns; the key policy's is generated."""
    heads = [head for head, _ in TABLES]
    assert {head[0] for head in heads} == {"", "permission", "action"}
    assert all(head == COLUMNS for head in heads if head[0] == "permission")
    assert ROWS


@pytest.mark.parametrize(
    "shown", ["", "`tests/unit/no_such_test.py`", "`who_may_fly`", "the table"]
)
def test_a_row_without_a_test_is_noticed(shown):
    """A row is refused without a test, with one that was renamed, and with words instead of one."""
    assert unshown(["`s3:GetObject`", "read", "", shown])
