"""How often a view asks: after failures ever more seldom, and never because of who asks for what."""

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
    """A view that is just older than C while SSM is down; pauses are as long as they may be."""
    clock.advance(TTL + 0.001)
    clock.fixed_fraction = 1
    reader.fault = DOWN
    return warm


def instants_of_reads(view, reader, clock, seconds: float) -> list[float]:
    """When a view that is asked every tenth of a second reads, in seconds from now."""
    began, instants = clock.monotonic(), []
    for _ in range(int(seconds * 10)):
        reads = reader.reads
        view.get()
        if reader.reads > reads:
            instants.append(round(clock.monotonic() - began, 1))
        clock.advance(0.1)
    return instants


def test_pauses_double_up_to_five_seconds(failing, reader, clock):
    """1, 2, 4, 5, 5 seconds: a request that comes in between goes on with what is held."""
    instants = instants_of_reads(failing, reader, clock, 20)
    pauses = [later - earlier for earlier, later in pairwise(instants)]
    assert pauses == pytest.approx([1, 2, 4, 5, 5], abs=0.11)


def test_pauses_are_random(failing, reader, clock):
    """Full jitter: half the fraction is half the pause."""
    clock.fixed_fraction = 0.5
    instants = instants_of_reads(failing, reader, clock, 5)
    assert instants == pytest.approx([0, 0.5, 1.5, 3.5], abs=0.31)


def test_a_read_that_succeeds_ends_the_pauses(failing, reader, clock):
    """The next failure is followed by the shortest pause again."""
    instants_of_reads(failing, reader, clock, 20)
    reader.fault = None
    clock.advance(5.1)
    failing.get()
    reader.fault = DOWN
    clock.advance(TTL + 1)
    assert instants_of_reads(failing, reader, clock, 2) == pytest.approx([0, 1.1], abs=0.11)


def test_a_pause_counts_from_the_failure(failing, reader, clock):
    """A read that hangs is not followed by another at once."""
    reader.delay = 9
    failing.get()
    clock.advance(0.9)
    failing.get()
    assert reader.reads == 1
    clock.advance(0.2)
    failing.get()
    assert reader.reads == 2


def test_a_view_that_is_too_old_pauses_too(failing, reader, clock):
    """Failing closed costs no more reads than going on."""
    clock.advance(STALE_LIMIT)
    for _ in range(10):
        with pytest.raises(ViewTooOld):
            failing.get()
    assert reader.reads == 1


def test_no_pause_is_longer_than_c(reader, clock):
    """With C = 1 s SSM is asked every second while it is down."""
    clock.fixed_fraction = 0
    view = View(reader, clock, ttl=1, stale_limit=STALE_LIMIT)
    view.get()
    clock.fixed_fraction = 1
    reader.fault = DOWN
    clock.advance(1.1)
    assert len(instants_of_reads(view, reader, clock, 10)) == pytest.approx(10, abs=1)


def test_a_first_read_that_failed_is_not_repeated_by_every_call(view, reader, clock):
    """The fault of a read that was made, ViewTooOld in the pause after it."""
    clock.fixed_fraction = 1
    reader.fault = DOWN
    with pytest.raises(NoReply):
        view.get()
    for ask in (view.get, view.get_fresh, view.reread):
        with pytest.raises(ViewTooOld):
            ask()
    assert reader.reads == 1
    clock.advance(1.001)
    with pytest.raises(NoReply):
        view.get_fresh()
    reader.fault = None
    clock.advance(2.001)
    assert (view.get().number, reader.reads) == (5, 3)


def test_a_clock_that_was_set_back_ends_a_pause(failing, reader, clock):
    """How long ago the failure was is unknown then."""
    failing.get()
    reader.fault, reader.number = None, 6
    clock.wall = clock.wall.replace(year=2025)
    assert failing.get().number == 6


def test_a_fresh_view_reads_nothing_for_an_unknown_kid(warm, reader, clock):
    """Whoever asks for a fresh view up to the age of C gets the one that is held."""
    for _ in range(1000):
        clock.advance(TTL / 1000)
        assert warm.get_fresh().number == 5
    assert reader.reads == 0


def test_beyond_c_there_is_no_fresh_view_without_ssm(failing):
    """A good token's kid may have been published since: unknown kids are a fault then."""
    assert failing.get().number == 5
    with pytest.raises(ViewTooOld, match="30 s"):
        failing.get_fresh()


def test_a_fresh_view_of_a_keyset_that_changed(warm, reader, clock):
    """Beyond C it costs one read."""
    clock.advance(TTL + 0.001)
    reader.number = 6
    assert [warm.get_fresh().number for _ in range(3)] == [6, 6, 6]
    assert reader.reads == 1


@pytest.mark.parametrize("answer", ["none", "from the past"])
def test_nothing_old_is_fresh(warm, reader, clock, answer):
    """The active key may have been superseded: tokens could outlive its grace. SSM is not flooded."""
    reader.number, reader.fault = 4, DOWN if answer == "none" else None
    clock.advance(TTL + 0.001)
    clock.fixed_fraction = 1
    for _ in range(10):
        with pytest.raises(ViewTooOld):
            warm.get_fresh()
    assert reader.reads == 1
    assert warm.get().number == 5


def test_rereading_asks_at_once(warm, reader):
    """KMS has said that the view is wrong: its age does not matter."""
    for number in (6, 7):
        reader.number = number
        assert warm.reread().number == number
    assert reader.reads == 2


def test_rereading_in_vain_is_followed_by_longer_and_longer_pauses(warm, reader, clock):
    """A key that was disabled in KMS alone has no issuer read the keyset for each request."""
    clock.fixed_fraction = 1
    instants = []
    for _ in range(200):
        reads = reader.reads
        with suppress(ViewTooOld):
            warm.reread()
        if reader.reads > reads:
            instants.append(clock.monotonic())
        clock.advance(0.1)
    pauses = [later - earlier for earlier, later in pairwise(instants)]
    assert pauses == pytest.approx([1, 2, 4, 5, 5], abs=0.11)


def test_when_kms_objects_a_read_that_failed_early_does_not_stand_in_the_way(warm, reader, clock):
    """A failed read is a fault; once its pause is over the keyset is read again, C or not."""
    reader.fault, clock.fixed_fraction = DOWN, 1
    for _ in range(2):
        with pytest.raises(ViewTooOld):
            warm.reread()
    assert (warm.get().number, reader.reads) == (5, 1)
    reader.fault, reader.number = None, 6
    clock.advance(1.001)
    assert warm.reread().number == 6


def test_rereading_from_the_past_is_a_fault(warm, reader):
    """What is held was wrong; there is nothing to go back to."""
    reader.number = 4
    with pytest.raises(ViewTooOld):
        warm.reread()
    assert warm.get().number == 5


@pytest.mark.parametrize("seed", range(20))
def test_a_recovered_ssm_is_heard_within_ten_seconds(reader, clock, monkeypatch, seed):
    """However long it was away, and whatever chance says."""
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
