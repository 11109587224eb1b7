"""The store behind the views under test."""

from typing import Any

import pytest

from keyturn.aws.keyset.reader import GenerationLost
from keyturn.aws.view import View
from keyturn.keyset.model import Generation, Keyset


class FakeReader:
    """A store that answers `number`, or raises `fault`, `delay` seconds after the request."""

    def __init__(self, clock) -> None:
        self.clock, self.number, self.fault, self.delay, self.reads = clock, 5, None, 0, 0
        self.written = self.sent = clock.now()

    def read(self) -> Generation:
        """The highest generation."""
        self.reads, self.sent = self.reads + 1, self.clock.now()
        self.clock.advance(self.delay)
        if self.fault:
            raise self.fault
        return Generation(self.number, "", "", "", self.written, Keyset())

    def read_newer(self, previous: Generation) -> Generation:
        """The same; a lower generation does not follow `previous`."""
        assert isinstance(previous, Generation)
        latest = self.read()
        if latest.number < previous.number:
            raise GenerationLost("SSM went back")
        return latest


@pytest.fixture
def reader(clock) -> FakeReader:
    """The store behind the view."""
    return FakeReader(clock)


@pytest.fixture
def view(reader, clock) -> View[Any]:
    """A new view: C is 30 s, the stale limit 300 s; it is refreshed when C is over, not earlier."""
    clock.fixed_fraction = 0
    return View(reader, clock, ttl=30, stale_limit=300)


@pytest.fixture
def warm(view, reader) -> View[Any]:
    """A view that was read just now; `reader.reads` counts from here."""
    view.get()
    reader.reads = 0
    return view
