"""`make verifiers-docs`: measure every verifier, and put table and code into docs/verifiers.md."""

import tempfile
from pathlib import Path

from tests.verifiers import page
from tests.verifiers.catalogue import VERIFIERS
from tests.verifiers.web import serving


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as name, serving(folder := Path(name)) as site:
        rows = []
        for verifier in VERIFIERS:
            with verifier.running(site, folder) as running:
                rows.append(page.measured_row(verifier, running, site))
    page.PAGE.write_text(page.with_lines(page.with_table(page.PAGE.read_text(), rows)))


if __name__ == "__main__":
    main()
