"""Counts of a run, and the line that reports them."""

from dataclasses import dataclass, field
from typing import Any

import pytest

FOLDER = "tests/vectors/"


@dataclass
class Tally:
    """Counts of one pytest run."""

    cases: set[tuple[str, str]] = field(default_factory=set)  # (file, name)
    mutants: int = 0
    resigned: int = 0
    lawful: int = 0  # mutants that were signed again and break no rule
    wrongly_accepted: int = 0
    verifications: int = 0  # the most for one text
    agreed: int = 0


TALLY: pytest.StashKey[Tally] = pytest.StashKey()


def line(stats: dict[str, list[Any]], tally: Tally) -> str:
    """The summary, or an empty text if nothing was counted."""
    if not (tally.cases or tally.mutants or tally.agreed):
        return ""
    passed, failed = (
        sum(report.nodeid.startswith(FOLDER) for kind in kinds for report in stats.get(kind, ()))
        for kinds in (("passed",), ("failed", "error"))
    )
    parts = [f"vectors: {passed:,} passed, {failed:,} failed"]
    if tally.cases:
        files = {file for file, _ in tally.cases}
        parts.append(f"; {len(tally.cases):,} cases in {len(files)} files")
    if tally.mutants:
        parts.append(
            f", {tally.mutants:,} mutants ({tally.resigned:,} signed again, {tally.lawful:,} of "
            f"them lawful), {tally.wrongly_accepted:,} others accepted, "
            f"at most {tally.verifications} RSA verification each"
        )
    if tally.agreed:
        parts.append(f", {tally.agreed:,} tokens agreed by PyJWT and joserfc")
    return "".join(parts)
