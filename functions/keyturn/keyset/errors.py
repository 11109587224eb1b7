"""Everything the keyset can object to, on one page.

`Refused` is an answer (the world moved, or it is too early): the keyset stays as it is and the
caller goes on. `KeysetFault` means that we are bad: nothing is written and an alarm is due.
"""

from datetime import datetime


class KeysetError(Exception):
    """Root of this package's errors."""


class Refused(KeysetError):
    """The keyset as it stands does not allow this change; nothing happened."""


class IllegalTransition(Refused):
    """The table of states has no such entry."""

    def __init__(self, kid: str, state: str, event: str) -> None:
        super().__init__(f"key {kid} is {state}: {event} is not possible from there")


class UnknownKid(Refused):
    """The keyset lists no key of this kid."""

    def __init__(self, kid: str) -> None:
        super().__init__(f"key {kid} is not in the keyset")


class AnotherKeyIsActive(Refused):
    """The key that was to be superseded is not the active one any more."""

    def __init__(self, expected: str | None, active: str | None) -> None:
        super().__init__(
            f"the key to supersede was {expected or 'none'}, but {active or 'none'} is active"
        )


class AnotherKeyIsStandby(Refused):
    """There is a standby already; a keyset holds at most one."""

    def __init__(self, standby: str) -> None:
        super().__init__(f"key {standby} is already the standby")
        self.standby = standby


class TooEarly(Refused):
    """The change is allowed, later: strictly after `until`."""

    def __init__(self, what: str, until: datetime) -> None:
        super().__init__(f"{what} only after {until.isoformat()}")
        self.until = until


class TooLate(Refused):
    """The change was allowed until `until`, and no longer."""

    def __init__(self, what: str, until: datetime) -> None:
        super().__init__(f"{what} only before {until.isoformat()}")
        self.until = until


class KeysetFault(KeysetError):
    """The keyset is missing, unreadable or would break an invariant."""


class CreatedTooLongAgo(KeysetFault):
    """A key of this age is not registered: a late retry must not bring back a forgotten key."""

    def __init__(self, kid: str, created: datetime) -> None:
        super().__init__(
            f"key {kid} was created at {created.isoformat()}: too long ago to register"
        )


class InvariantBroken(KeysetFault):
    """A keyset that must not exist, said as a sentence."""


class DocumentInvalid(KeysetFault):
    """A stored document that this release cannot read; it is left untouched."""


class NewerSchema(DocumentInvalid):
    """A document that a newer release wrote: only that release may touch it.

    Every schema has `parent`, or none of its documents ever counts.
    """

    def __init__(self, message: str, parent: object = None) -> None:
        super().__init__(message)
        self.parent = parent


class UnlawfulChange(KeysetFault):
    """A change that no reader would follow: it is not written."""


class DocumentTooLarge(KeysetFault):
    """The change would not fit a Standard SSM parameter (4,096 bytes)."""


class ContradictorySettings(KeysetFault):
    """Periods that cannot hold together, each with its arithmetic."""

    def __init__(self, contradictions: tuple[str, ...]) -> None:
        super().__init__("; ".join(contradictions))
        self.contradictions = contradictions
