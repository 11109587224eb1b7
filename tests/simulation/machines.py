"""Machines with clocks of their own, and the Lambda containers on them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from keyturn.aws.clock import Clock
from tests.simulation.scheduler import Scheduler


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
        """Let the others go on."""
        self._scheduler.pause(seconds)

    def fraction(self) -> float:
        """Jitter, by the seed."""
        return self._choose.random()

    def new_id(self) -> str:
        """Ids that count."""
        return f"id-{next(self._ids)}"

    def step(self, skew: float) -> None:
        """Somebody sets the wall clock; it stays within `skew` seconds of the true time."""
        self.ahead = self._choose.uniform(0.0, skew)
