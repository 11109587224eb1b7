"""How a broken invariant is reported, and which are no longer required.

A deletion of generations can make a writer continue from an older one (docs/decisions/0020). That denies
service, so the promises to tokens and keys of the lost branch are void for the rest of the run. Revocations
stay: see the bound in truth.py.
"""

BY_A_BRANCH = frozenset({"S1", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S14", "S15"})
EXCUSED: set[str] = set()  # in the run that is under way


class Broken(BaseException):
    """An invariant of the design does not hold; ends the run, whatever the product catches."""

    def __init__(self, invariant: str, what: str) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant


def insist(holds: bool, invariant: str, what: str) -> None:
    """Raise Broken unless it holds, or is no longer required."""
    if not holds and invariant not in EXCUSED:
        raise Broken(invariant, what)
