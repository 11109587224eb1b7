"""How a broken invariant is said."""


class Broken(BaseException):
    """An invariant of the design does not hold; ends the run, whatever the product catches."""

    def __init__(self, invariant: str, what: str) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant


def insist(holds: bool, invariant: str, what: str) -> None:
    """Raise Broken unless it holds."""
    if not holds:
        raise Broken(invariant, what)
