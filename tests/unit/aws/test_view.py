"""A container's view: fresh for C, usable for the stale limit, never going back."""

import pytest

from keyturn.aws.faults import NoReply
from keyturn.aws.keyset.reader import KeysetMissing
from keyturn.aws.view import ViewTooOld
from keyturn.keyset.errors import DocumentInvalid

TTL, STALE_LIMIT = 30, 300
DOWN = NoReply("ssm:GetParameters", "ReadTimeoutError")


def test_a_new_container_reads_first(view, reader):
    """It has no value."""
    assert (view.get().number, reader.reads) == (5, 1)


@pytest.mark.parametrize("method", ["get", "get_fresh"])
def test_a_view_is_read_again_once_it_is_older_than_c(warm, reader, clock, method):
    """Up to the age of C, C included, no call is made; one read makes it fresh again."""
    reader.number = 6
    clock.advance(TTL)
    assert (getattr(warm, method)().number, reader.reads) == (5, 0)
    clock.advance(0.001)
    assert [getattr(warm, method)().number for _ in range(3)] == [6, 6, 6]
    assert reader.reads == 1


def test_a_read_that_shows_nothing_new_renews_the_age(warm, reader, clock):
    """The value is as good as a new one."""
    for _ in range(20):
        clock.advance(TTL + 1)
        warm.get()
    assert reader.reads == 20


def test_the_age_counts_from_before_the_read_was_sent(warm, reader, clock):
    """A slow answer may be as old as its request."""
    clock.advance(TTL + 1)
    reader.delay = 10
    warm.get()
    clock.advance(TTL - 10)
    warm.get()
    assert reader.reads == 1
    clock.advance(0.001)
    warm.get()
    assert reader.reads == 2


def test_a_lower_generation_is_ignored_up_to_the_stale_limit(warm, reader, clock):
    """SSM may answer from the past. Such a read does not renew the age; later the view is useless."""
    reader.number = 4
    for _ in range(STALE_LIMIT // 10):
        clock.advance(10)
        assert warm.get().number == 5
    with pytest.raises(ViewTooOld, match="30 s"):
        warm.get_fresh()
    clock.advance(10)
    assert warm.get().number == 4


@pytest.mark.parametrize("fault", [DOWN, DocumentInvalid("schema 2"), KeysetMissing("none")])
def test_without_ssm_the_view_is_usable_up_to_the_stale_limit(warm, reader, clock, fault):
    """Then it fails closed, until SSM answers again."""
    reader.fault = fault
    clock.advance(STALE_LIMIT)
    assert warm.get().number == 5
    clock.advance(0.001)
    with pytest.raises(ViewTooOld):
        warm.get()
    reader.fault, reader.number = None, 6
    clock.advance(6)
    assert warm.get().number == 6


def test_a_wall_clock_that_was_set_back_forces_a_read(warm, reader, clock):
    """The age is unknown then."""
    reader.number = 6
    clock.advance(-0.001)
    clock.ticks += 1
    for _ in range(2):
        assert (warm.get().number, reader.reads) == (6, 1)


def test_an_unknown_age_is_no_reason_to_go_back(warm, reader, clock):
    """An older generation is ignored even then; the view fails closed until the clock catches up."""
    reader.number = 4
    clock.advance(-0.001)
    clock.ticks += 1
    with pytest.raises(ViewTooOld):
        warm.get()
    clock.advance(10)
    assert warm.get().number == 5


@pytest.mark.parametrize("frozen", ["ticks", "wall"])
def test_the_clock_that_advanced_further_counts(warm, reader, clock, frozen):
    """After hours a thawed container's monotonic clock may have stood still: it reads, or fails closed."""
    before = getattr(clock, frozen)
    clock.advance(7200)
    setattr(clock, frozen, before)
    reader.fault = DOWN
    with pytest.raises(ViewTooOld):
        warm.get()
    reader.fault, reader.number = None, 6
    clock.ticks += 1
    assert (warm.get().number, reader.reads) == (6, 2)


def test_a_refresh_from_the_real_store_is_one_call(founded, aws, clock):
    """The view passes its generation on to the store."""
    generation = founded.view.get()
    aws.reset()
    clock.advance(founded.times.view_ttl + 0.1)
    assert [founded.view.get() for _ in range(2)] == [generation] * 2
    assert aws.operations == ["ssm:GetParameters"]
