"""Machines with clocks of their own, and the Lambda containers on them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from keyturn.aws.clock import Clock
from keyturn.aws.stack import Stack
from tests.simulation.scheduler import Scheduler

NEVER = -1e9


class MachineClock(Clock):
    """`ahead` seconds of the true time; its monotonic clock may have stood still."""

    def __init__(
        self,
        scheduler: Scheduler,
        epoch: datetime,
        ahead: float,
        choose: Random,
        ids: Iterator[int],
    ) -> None:
        self._scheduler, self._epoch, self._choose, self._ids = scheduler, epoch, choose, ids
        self.ahead = ahead
        self.frozen = 0.0

    def now(self) -> datetime:
        """The wall clock."""
        return self._epoch + timedelta(seconds=self._scheduler.now + self.ahead)

    def monotonic(self) -> float:
        """The monotonic clock."""
        return 1000.0 + self._scheduler.now - self.frozen

    def sleep(self, seconds: float) -> None:
        """Let other processes run."""
        self._scheduler.pause(seconds)

    def fraction(self) -> float:
        """Jitter, by the seed."""
        return self._choose.random()

    def new_id(self) -> str:
        """Ids in sequence."""
        return f"id-{next(self._ids)}"

    def step(self, skew: float) -> None:
        """The wall clock is adjusted; it stays within `skew` seconds of the true time."""
        self.ahead = self._choose.uniform(0.0, skew)


@dataclass
class Container:
    """A Lambda container: its Stack, its clock, and what became of its reads of the keyset."""

    stack: Stack
    clock: MachineClock
    label: str
    last_read: float = NEVER
    trouble: float = NEVER
    signed: float = NEVER
    document_trouble: float = NEVER  # when it last failed to read an API's document
    writes: list[str] = field(default_factory=list)
    began: int = 0  # the highest generation when it was started
    troubled: bool = True  # its calls meet the faults of the plan
    refusal: str = ""  # the code of an authorizer's last one

    def failed_to_read(self, path: str, at: float) -> None:
        """A read below this path has failed, or showed less than there is."""
        match path.rpartition("/")[2]:
            case "keyset":
                self.trouble = at
            case "apis":
                self.document_trouble = at
