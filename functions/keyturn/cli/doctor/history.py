"""The check of the history in the bucket."""

from collections.abc import Iterator

from keyturn.cli.doctor.findings import Finding, Severity
from keyturn.cli.formatting import count
from keyturn.cli.snapshot import Snapshot


def check_history(snapshot: Snapshot) -> Iterator[Finding]:
    """The history contains only the stack's own objects."""
    if foreign := snapshot.foreign_objects:
        others = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        yield Finding(
            "foreign_history",
            Severity.WARNING,
            f"The history contains {count(len(foreign), 'object')} that Keyturn did not write: "
            f"{foreign[0]}{others}. They are ignored.",
            "Save them as evidence, then delete them: docs/runbooks/foreign-history.md.",
            subject=foreign[0],
        )
