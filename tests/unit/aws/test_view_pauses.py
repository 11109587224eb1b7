"""How often a view is read: ever less after failures, whatever the requests."""

import random
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest

from keyturn.aws.faults import NoReply, Throttled
from keyturn.aws.view import View, ViewTooOld

TTL, STALE_LIMIT = 30, 300
DOWN = NoReply("ssm:GetParameters", "ReadTimeoutError")


@pytest.fixture
def failing(warm, reader, clock) -> View[Any]:
    """A view just older than C while SSM is down; pauses are as long as they may be."""
    clock.advance(TTL + 0.001)
    clock.fixed_fraction = 1
    reader.fault = DOWN
    return warm


def read_times(request, reader, clock, seconds: float) -> list[float]:
    """Make a request every tenth of a second; returns when the store was read, in seconds from now."""
    began, times = clock.monotonic(), []
    for _ in range(int(seconds * 10)):
        reads = reader.reads
        with suppress(ViewTooOld):
            request()
        if reader.reads > reads:
            times.append(round(clock.monotonic() - began, 1))
        clock.advance(0.1)
    return times


def pauses(times: list[float]) -> list[float]:
    """The seconds between reads."""
    return [later - earlier for earlier, later in pairwise(times)]


def test_pauses_double_up_to_five_seconds(failing, reader, clock):
    """Requests in between use the cached value; a read that succeeds ends the pauses."""
    times = read_times(failing.get, reader, clock, 20)
    assert pauses(times) == pytest.approx([1, 2, 4, 5, 5], abs=0.11)
    reader.fault = None
    clock.advance(5.1)
    failing.get()
    reader.fault = DOWN
    clock.advance(TTL + 1)
    assert read_times(failing.get, reader, clock, 2) == pytest.approx([0, 1.1], abs=0.11)


def test_pauses_are_random(failing, reader, clock):
    """Full jitter: half the fraction is half the pause."""
    clock.fixed_fraction = 0.5
    times = read_times(failing.get, reader, clock, 5)
    assert times == pytest.approx([0, 0.5, 1.5, 3.5], abs=0.31)


def test_a_pause_counts_from_the_failure(failing, reader, clock):
    """A read that hangs is not followed by another at once."""
    reader.delay = 9
    for seconds, reads in ((0, 1), (0.9, 1), (0.2, 2)):
        clock.advance(seconds)
        failing.get()
        assert reader.reads == reads


def test_a_view_that_is_too_old_pauses_too(failing, reader, clock):
    """Failing closed costs no more reads."""
    clock.advance(STALE_LIMIT)
    for _ in range(10):
        with pytest.raises(ViewTooOld):
            failing.get()
    assert reader.reads == 1


def test_no_pause_is_longer_than_c(reader, clock):
    """With C = 1 s SSM is read every second while it is down."""
    clock.fixed_fraction = 0
    view = View(reader, clock, ttl=1, stale_limit=STALE_LIMIT)
    view.get()
    clock.fixed_fraction = 1
    reader.fault = DOWN
    clock.advance(1.1)
    assert len(read_times(view.get, reader, clock, 10)) == pytest.approx(10, abs=1)


def test_a_failed_first_read_is_not_repeated_by_every_request(view, reader, clock):
    """The read raises its fault, the pause after it ViewTooOld."""
    clock.fixed_fraction = 1
    reader.fault = DOWN
    with pytest.raises(NoReply):
        view.get()
    for request in (view.get, view.get_fresh, view.reread):
        with pytest.raises(ViewTooOld):
            request()
    assert reader.reads == 1
    clock.advance(1.001)
    with pytest.raises(NoReply):
        view.get_fresh()
    reader.fault = None
    clock.advance(2.001)
    assert (view.get().number, reader.reads) == (5, 3)


def test_a_wall_clock_that_was_set_back_ends_a_pause(failing, reader, clock):
    """How long ago the read failed is unknown then."""
    failing.get()
    reader.fault, reader.number = None, 6
    clock.wall = clock.wall.replace(year=2025)
    assert failing.get().number == 6


@pytest.mark.parametrize("answer", ["none", "from the past"])
def test_beyond_c_an_old_value_is_never_fresh(warm, reader, clock, answer):
    """Tokens could outlive the active key's grace, an unknown kid be a new one. SSM is not flooded."""
    reader.number, reader.fault = 4, DOWN if answer == "none" else None
    clock.advance(TTL + 0.001)
    clock.fixed_fraction = 1
    for _ in range(10):
        with pytest.raises(ViewTooOld, match="30 s"):
            warm.get_fresh()
    assert reader.reads == 1
    assert warm.get().number == 5


def test_rereading_reads_at_once(warm, reader):
    """KMS has refused the key, so the age of the view does not matter."""
    for number in (6, 7):
        reader.number = number
        assert warm.reread().number == number
    assert reader.reads == 2


def test_rereading_in_vain_is_followed_by_longer_and_longer_pauses(warm, reader, clock):
    """A key that is disabled only in KMS does not make issuers read the keyset for each request."""
    clock.fixed_fraction = 1
    times = read_times(warm.reread, reader, clock, 20)
    assert pauses(times) == pytest.approx([1, 2, 4, 5, 5], abs=0.11)


def test_a_failed_rereading_is_repeated_after_its_pause(warm, reader, clock):
    """C need not be over."""
    reader.fault, clock.fixed_fraction = DOWN, 1
    for _ in range(2):
        with pytest.raises(ViewTooOld):
            warm.reread()
    assert (warm.get().number, reader.reads) == (5, 1)
    reader.fault, reader.number = None, 6
    clock.advance(1.001)
    assert warm.reread().number == 6


def test_rereading_from_the_past_is_a_fault(warm, reader):
    """The cached value was wrong, and an older one is no better."""
    reader.number = 4
    with pytest.raises(ViewTooOld):
        warm.reread()
    assert warm.get().number == 5


@pytest.mark.parametrize("seed", range(20))
def test_a_recovered_ssm_is_read_within_ten_seconds(reader, clock, monkeypatch, seed):
    """This holds for any length of the outage and any random pauses."""
    rng = random.Random(seed)
    monkeypatch.setattr(clock, "fraction", rng.random)
    view = View(reader, clock, ttl=TTL, stale_limit=10_000)
    view.get()
    reader.fault = Throttled("ssm:GetParameters", "ThrottlingException")
    for _ in range(rng.randrange(100, 1000)):
        clock.advance(0.5)
        view.get()
    reader.fault, reader.number, recovered = None, 6, clock.monotonic()
    while view.get().number == 5:
        clock.advance(0.1)
    assert clock.monotonic() - recovered <= 10
