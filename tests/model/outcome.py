"""The outcome of one scenario or mutant, small enough to pass between processes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

S = TypeVar("S")


@dataclass(frozen=True)
class Outcome:
    """`scenario` is set for a mutant only: the one that is to show it."""

    name: str
    constants: str
    actors: tuple[str, ...]
    states: int
    transitions: int
    keysets: int
    exhausted: bool
    wrong: str
    trace: tuple[str, ...]
    seconds: float
    scenario: str = ""
    equivalent: str = ""

    @property
    def good(self) -> bool:
        """A scenario is clean and exhausted, a mutant killed, an equivalent one survives to the end."""
        if self.scenario and not self.equivalent:
            return bool(self.wrong)
        return self.exhausted and not self.wrong

    def fields(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "seconds": round(self.seconds, 2), "good": self.good}


def path_to(origins: Mapping[S, tuple[S | None, str]], state: S) -> tuple[str, ...]:
    """The moves to a state, by the predecessor from which each state was first reached."""
    steps = list[str]()
    at: S | None = state
    while at is not None:
        at, label = origins[at]
        steps.append(label)
    return tuple(reversed(steps[:-1]))
