"""docs/verifiers.md says what is so."""

from tests.verifiers.catalogue import LINES, VERIFIERS
from tests.verifiers.page import PAGE, measured_row, title, with_lines

TEXT = PAGE.read_text()


def test_the_table_says_what_is_measured(verifier, running, site) -> None:
    """Every figure of the verifier's row, with its options and without, on a clock that is moved."""
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
    """Each file of `lines/` stands on the page as it runs here."""
    assert with_lines(TEXT) == TEXT
    assert all(f"<!-- lines: {path.name} -->" in TEXT for path in LINES.iterdir() if path.is_file())
