"""When a view is read again: a random while before C is over, once, and never by every call."""

import random

import pytest

from keyturn.aws.faults import NoReply, Throttled
from keyturn.aws.view import View

TTL = 30
DOWN = NoReply("ssm:GetParameters", "ReadTimeoutError")
SLOW = 2


@pytest.fixture
def settled(warm, reader, clock):
    """A view that was refreshed just now, with chance back in play; `reads` counts from here."""
    clock.advance(TTL + 1)
    clock.fixed_fraction = 1
    warm.get()
    reader.reads = 0
    return warm


def test_a_settled_view_is_read_again_within_the_last_fifth_of_c(settled, reader, clock):
    """With the largest fraction at 24 s of 30, not before."""
    clock.advance(TTL * 0.8)
    settled.get()
    assert reader.reads == 0
    clock.advance(0.001)
    settled.get()
    assert reader.reads == 1


def test_the_first_read_is_followed_by_one_anywhere_in_c(view, reader, clock):
    """Containers that were born together are spread over the whole of C."""
    clock.fixed_fraction = 0.9
    view.get()
    clock.advance(TTL * 0.1 + 0.001)
    view.get()
    assert reader.reads == 2


def test_who_recovers_together_is_spread_over_c_too(settled, reader, clock):
    """An outage makes every container wait for the same moment."""
    reader.fault = DOWN
    clock.advance(TTL + 1)
    settled.get()
    reader.fault, clock.fixed_fraction = None, 0.9
    clock.advance(6)
    settled.get()
    reader.reads = 0
    clock.advance(TTL * 0.1 + 0.001)
    settled.get()
    assert reader.reads == 1


@pytest.mark.parametrize("seed", range(20))
def test_no_view_is_ever_older_than_c(reader, clock, monkeypatch, seed):
    """Whatever chance says and whenever it is asked, what is acted on was read within C."""
    rng = random.Random(seed)
    monkeypatch.setattr(clock, "fraction", rng.random)
    view = View(reader, clock, ttl=TTL, stale_limit=300)
    for _ in range(500):
        clock.advance(rng.expovariate(1 / 4))
        for look in (view.get, view.get_fresh):
            look()
            assert (clock.now() - reader.asked).total_seconds() <= TTL


@pytest.mark.parametrize("fault", [DOWN, Throttled("ssm:GetParameters", "ThrottlingException")])
@pytest.mark.parametrize("ask", ["get", "get_fresh"])
def test_a_read_that_fails_before_c_is_over_is_not_repeated_before(
    settled, reader, clock, fault, ask
):
    """Within C the view is good: one call in vain, and none by the thousand that follow."""
    reader.fault = fault
    clock.advance(TTL * 0.8 + 0.001)
    for _ in range(1000):
        clock.advance(0.005)
        assert getattr(settled, ask)().number == 5
    assert reader.reads == 1


def test_a_slow_answer_delays_one_call(settled, reader, clock):
    """The call that finds the view due waits for SSM, the others find it fresh."""
    reader.delay = SLOW
    clock.advance(TTL * 0.8 + 0.001)
    waited = []
    for _ in range(1000):
        before = clock.monotonic()
        settled.get()
        waited.append(clock.monotonic() - before)
        clock.advance(0.005)
    assert (waited[0], set(waited[1:]), reader.reads) == (SLOW, {0}, 1)
