"""All errors of the keyset, on one page.

`Refused` is a normal answer (the keyset has changed, or it is too early): nothing is written and
the caller carries on. `KeysetFault` means that the service is at fault: nothing is written, and an
alarm must be raised.
"""

from datetime import datetime


class KeysetError(Exception):
    """Root of this package's errors."""


class Refused(KeysetError):
    """The keyset does not allow this change now; nothing has changed."""


class IllegalTransition(Refused):
    """The table of states has no such transition."""

    def __init__(self, kid: str, state: str, event: str) -> None:
        super().__init__(f"key {kid} is {state}: {event} is not possible in this state")


class UnknownKid(Refused):
    """The keyset lists no key with this kid."""

    def __init__(self, kid: str) -> None:
        super().__init__(f"key {kid} is not in the keyset")


class AnotherKeyIsActive(Refused):
    """The key to supersede is no longer the active key."""

    def __init__(self, expected: str | None, active: str | None) -> None:
        super().__init__(
            f"the key to supersede was {expected or 'none'}, but {active or 'none'} is active"
        )


class AnotherKeyIsStandby(Refused):
    """There is a standby already, and a keyset has at most one."""

    def __init__(self, standby: str) -> None:
        super().__init__(f"key {standby} is already the standby")
        self.standby = standby


class TooEarly(Refused):
    """The change is not allowed yet, only strictly after `until`."""

    def __init__(self, what: str, until: datetime) -> None:
        super().__init__(f"{what} only after {until.isoformat()}")
        self.until = until


class TooLate(Refused):
    """The change is no longer allowed; it was until `until`."""

    def __init__(self, what: str, until: datetime) -> None:
        super().__init__(f"{what} only before {until.isoformat()}")
        self.until = until


class KeysetFault(KeysetError):
    """The keyset is missing, unreadable or would break an invariant."""


class CreatedTooLongAgo(KeysetFault):
    """The key is too old to be registered: a late retry must not bring back a forgotten key."""

    def __init__(self, kid: str, created: datetime) -> None:
        super().__init__(
            f"key {kid} was created at {created.isoformat()}: too long ago to register"
        )


class InvariantBroken(KeysetFault):
    """A keyset that must not exist; the message is the invariant as a sentence."""


class DocumentInvalid(KeysetFault):
    """A stored document that this release cannot read; it is left untouched."""


class NewerSchema(DocumentInvalid):
    """A newer release wrote the document; only that release may change it.

    Every future schema must keep the member `parent`: without it, its documents never count.
    """

    def __init__(self, message: str, parent: object = None) -> None:
        super().__init__(message)
        self.parent = parent


class UnlawfulChange(KeysetFault):
    """A change that readers would reject as unlawful; it is not written."""


class DocumentTooLarge(KeysetFault):
    """The change does not fit into a Standard SSM parameter (4,096 bytes)."""


class ContradictorySettings(KeysetFault):
    """Periods that contradict each other; the message gives the arithmetic of each."""

    def __init__(self, contradictions: tuple[str, ...]) -> None:
        super().__init__("; ".join(contradictions))
        self.contradictions = contradictions
