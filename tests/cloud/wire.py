"""Between the product and the fakes: every AWS call passes here, and may be delayed or fail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Effect = Callable[[float], Any]  # the instant whose state a read sees; a write always acts now


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a client; `retries` says whether its SDK repeats a call without a reply."""

    operation: str  # ssm:PutParameter
    effect: Effect
    retries: bool
    path: str = ""  # of the parameters that a read requests: /keyturn/<stack>/keyset
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Wire(Protocol):
    """Carries calls."""

    def carry(self, call: Call) -> Any:
        """Apply the effect and return the answer, or raise before or after it."""
        ...

    def now(self) -> float:
        """AWS's own clock, in seconds from the beginning."""
        ...


class DirectWire:
    """Carries each call at once; the clock is the caller's to move."""

    def __init__(self) -> None:
        self.instant = 0.0

    def carry(self, call: Call) -> Any:
        """See Wire."""
        return call.effect(self.instant)

    def now(self) -> float:
        """See Wire."""
        return self.instant


class Listing:
    """A paginator: each page is a call of its own."""

    def __init__(self, pages: Callable[..., Any]) -> None:
        self.paginate = pages
