"""docs/verifiers.md agrees with the measurements and the code."""

from tests.verifiers.catalogue import LINES, VERIFIERS
from tests.verifiers.page import PAGE, measured_row, title, with_lines

TEXT = PAGE.read_text()


def test_the_table_says_what_is_measured(verifier, running, site) -> None:
    """Each figure of the verifier's row is measured, with and without its options, on a simulated clock."""
    assert measured_row(verifier, running, site) in TEXT


def test_every_verifier_has_a_row_and_a_section() -> None:
    """Each is listed by name and pinned version, and no other verifier is."""
    table = TEXT.partition("<!-- end of measured -->")[0]
    rows = [line for line in table.splitlines() if line.startswith("| [")]
    assert len(rows) == len(VERIFIERS)
    for row, verifier in zip(rows, VERIFIERS, strict=True):
        assert row.startswith(f"| {title(verifier)} |")
        page, _, anchor = verifier.link.partition("#")
        assert page or f'<a id="{anchor}"></a>' in TEXT


def test_the_code_is_what_is_tested() -> None:
    """The page shows each file of `lines/` unchanged."""
    assert with_lines(TEXT) == TEXT
    assert all(f"<!-- lines: {path.name} -->" in TEXT for path in LINES.iterdir() if path.is_file())
