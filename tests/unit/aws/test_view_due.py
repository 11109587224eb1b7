"""When a view is refreshed: at a random time before C is over, by one call."""

import random

import pytest

from keyturn.aws.faults import NoReply, Throttled
from keyturn.aws.view import View

TTL = 30
DOWN = NoReply("ssm:GetParameters", "ReadTimeoutError")


@pytest.fixture
def settled(warm, reader, clock):
    """A view that was refreshed just now, with random times again; `reader.reads` counts from here."""
    clock.advance(TTL + 1)
    clock.fixed_fraction = 1
    warm.get()
    reader.reads = 0
    return warm


def test_a_settled_view_is_refreshed_within_the_last_fifth_of_c(settled, reader, clock):
    """The largest fraction means after 24 s of 30."""
    clock.advance(TTL * 0.8)
    settled.get()
    assert reader.reads == 0
    clock.advance(0.001)
    settled.get()
    assert reader.reads == 1


def test_after_the_first_read_the_next_may_be_any_time_within_c(view, reader, clock):
    """Containers that started together do not read together."""
    clock.fixed_fraction = 0.9
    view.get()
    clock.advance(TTL * 0.1 + 0.001)
    view.get()
    assert reader.reads == 2


def test_after_an_outage_the_next_read_may_be_any_time_within_c(settled, reader, clock):
    """Every container has waited for the same moment."""
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
def test_a_value_is_never_older_than_c(reader, clock, monkeypatch, seed):
    """This holds for any random times, of refreshes and of requests."""
    rng = random.Random(seed)
    monkeypatch.setattr(clock, "fraction", rng.random)
    view = View(reader, clock, ttl=TTL, stale_limit=300)
    for _ in range(500):
        clock.advance(rng.expovariate(1 / 4))
        for read in (view.get, view.get_fresh):
            read()
            assert (clock.now() - reader.sent).total_seconds() <= TTL


@pytest.mark.parametrize("fault", [DOWN, Throttled("ssm:GetParameters", "ThrottlingException")])
@pytest.mark.parametrize("method", ["get", "get_fresh"])
def test_a_read_that_fails_before_c_is_over_is_not_repeated_until_then(
    settled, reader, clock, fault, method
):
    """Until then the view is fresh, so thousands of requests cost one failed call."""
    reader.fault = fault
    clock.advance(TTL * 0.8 + 0.001)
    for _ in range(1000):
        clock.advance(0.005)
        assert getattr(settled, method)().number == 5
    assert reader.reads == 1
