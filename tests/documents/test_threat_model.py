"""docs/threat-model.md: each row says what a permission can do, the bound, and a test that is there."""

import re
from pathlib import Path

import pytest

from tests.simulation.adversaries.catalogue import ADVERSARIES
from tests.simulation.mutants.catalogue import MUTANTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/threat-model.md").read_text()
COLUMNS = ["permission", "worst it can do", "bound", "shown by"]
NAMES = {actor.__name__ for actor in (*ADVERSARIES, *MUTANTS)}


def rows(page: str = PAGE) -> list[list[str]]:
    """The cells of every row of the tables about permissions."""
    found, within = [], False
    for line in page.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        within = bool(cells) and (within or cells == COLUMNS)
        if within and cells != COLUMNS and set(cells[0]) != {"-"}:
            found.append(cells)
    return found


def unshown(row: list[str]) -> list[str]:
    """What is wrong with a row's last column."""
    proofs = re.findall(r"`([^`]+)`", row[3])
    rest = re.sub(r"`[^`]+`|[,;]|\s", "", row[3])
    missing = [proof for proof in proofs if not ((ROOT / proof).is_file() or proof in NAMES)]
    return missing or ([] if proofs and not rest else [row[3] or "nothing shows it"])


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_each_row_is_shown_by_a_test_that_exists(row):
    """A file of this repository, an adversary or a mutant of the simulator, and no other words."""
    assert len(row) == len(COLUMNS)
    assert row[1]
    assert unshown(row) == []


def test_every_adversary_has_its_row():
    """What the simulator lets somebody do is on the page."""
    named = set(re.findall(r"`(\w+)`", " ".join(row[3] for row in rows())))
    assert {adversary.__name__ for adversary in ADVERSARIES} <= named


def test_every_table_of_permissions_has_this_form():
    """No table is about permissions but those with these columns; the key policy's is generated."""
    heads = [line for line, below in zip(PAGE.splitlines(), PAGE.splitlines()[1:], strict=False)
             if re.fullmatch(r"\|[-| ]+\|", below)]  # fmt: skip
    forms = {tuple(cell.strip() for cell in head.split("|")[1:-1]) for head in heads}
    assert {form[0] for form in forms} == {"", "permission", "action"}
    assert [form for form in forms if form[0] == "permission"] == [tuple(COLUMNS)]


@pytest.mark.parametrize(
    "shown", ["", "`tests/unit/no_such_test.py`", "`who_may_fly`", "the table"]
)
def test_a_row_without_a_test_is_noticed(shown):
    """Also one whose test was renamed, and one that shows by words."""
    assert unshown(["`s3:GetObject`", "read", "", shown])
