"""What a container believes: fresh for C, never backwards, usable for the stale limit, no longer."""

from dataclasses import replace

import pytest

from keyturn.aws.faults import NoReply
from keyturn.aws.keyset.reader import KeysetMissing
from keyturn.aws.view import ViewTooOld
from keyturn.keyset.errors import DocumentInvalid

TTL, STALE_LIMIT = 30, 300
DOWN = NoReply("ssm:GetParameters", "ReadTimeoutError")


def test_a_new_container_reads_first(view, reader):
    """The first call reads."""
    assert (view.get().number, reader.reads) == (5, 1)


def test_a_fresh_view_reads_nothing(warm, reader, clock):
    """Up to the age of C, C included, no call is made."""
    clock.advance(TTL)
    reader.number = 6
    assert (warm.get().number, reader.reads) == (5, 0)


def test_a_view_older_than_its_ttl_is_refreshed(warm, reader, clock):
    """Beyond C the view reads once, and is fresh again."""
    clock.advance(TTL + 0.001)
    reader.number = 6
    assert [warm.get().number for _ in range(3)] == [6, 6, 6]
    assert reader.reads == 1


def test_a_view_that_saw_nothing_new_is_fresh_again(warm, reader, clock):
    """Reading the same generation renews the age."""
    for _ in range(20):
        clock.advance(TTL + 1)
        warm.get()
    assert reader.reads == 20


def test_the_age_counts_from_before_the_read_was_sent(warm, reader, clock):
    """What a slow answer says may be as old as its question."""
    clock.advance(TTL + 1)
    reader.delay = 10
    warm.get()
    clock.advance(TTL - 10)
    warm.get()
    assert reader.reads == 1
    clock.advance(0.001)
    warm.get()
    assert reader.reads == 2


def test_a_lower_generation_is_not_believed(warm, reader, clock):
    """SSM may answer from the past: the view never goes back."""
    clock.advance(TTL + 1)
    reader.number = 4
    assert (warm.get().number, reader.reads) == (5, 1)


def test_a_lower_generation_does_not_renew_the_age(warm, reader, clock):
    """A past that repeats itself for longer than the stale limit makes the view too old."""
    reader.number = 4
    for _ in range(STALE_LIMIT // 10):
        clock.advance(10)
        assert warm.get().number == 5
    with pytest.raises(ViewTooOld, match="30 s"):
        warm.get_fresh()


def test_what_is_held_counts_for_the_stale_limit_only(warm, reader, clock):
    """Then it is of no use any more: what counts is read, as a new container reads it."""
    reader.number = 4
    clock.advance(STALE_LIMIT + 1)
    assert warm.get().number == 4


@pytest.mark.parametrize("fault", [DOWN, DocumentInvalid("schema 2"), KeysetMissing("none")])
def test_without_ssm_the_last_good_view_is_used_for_the_stale_limit(warm, reader, clock, fault):
    """Up to the stale limit it is used, afterwards the view fails closed, and then recovers."""
    reader.fault = fault
    clock.advance(STALE_LIMIT)
    assert warm.get().number == 5
    clock.advance(0.001)
    with pytest.raises(ViewTooOld):
        warm.get()
    reader.fault, reader.number = None, 6
    clock.advance(6)
    assert warm.get().number == 6


def test_a_wall_clock_that_went_back_forces_a_refresh(warm, reader, clock):
    """The age is unknown then, however young the view seems."""
    reader.number = 6
    clock.advance(-0.001)
    clock.ticks += 1
    assert (warm.get().number, reader.reads) == (6, 1)
    assert (warm.get().number, reader.reads) == (6, 1)


def test_a_clock_set_back_is_no_reason_to_go_back(warm, reader, clock):
    """A generation that is gone is not given up for an older one, though its age is unknown."""
    reader.number = 4
    clock.advance(-0.001)
    clock.ticks += 1
    with pytest.raises(ViewTooOld):
        warm.get()
    clock.advance(10)
    assert warm.get().number == 5


def test_without_ssm_and_with_the_clock_set_back_the_view_fails_closed(warm, reader, clock):
    """An age that nobody knows is not below the stale limit."""
    reader.fault = DOWN
    clock.wall = clock.wall.replace(year=2025)
    with pytest.raises(ViewTooOld):
        warm.get()


@pytest.mark.parametrize("frozen", ["monotonic", "wall"])
def test_the_clock_that_ran_further_counts(warm, reader, clock, frozen):
    """A container thawed after hours has a standing monotonic clock and refreshes all the same."""
    wall, ticks = clock.wall, clock.ticks
    clock.advance(7200)
    if frozen == "monotonic":
        clock.ticks = ticks
    else:
        clock.wall = wall
    reader.number = 6
    assert (warm.get().number, reader.reads) == (6, 1)


@pytest.mark.parametrize("frozen", ["monotonic", "wall"])
def test_a_thawed_container_without_ssm_fails_closed(warm, reader, clock, frozen):
    """The stale limit, too, goes by the clock that ran further."""
    wall, ticks = clock.wall, clock.ticks
    clock.advance(7200)
    if frozen == "monotonic":
        clock.ticks = ticks
    else:
        clock.wall = wall
    reader.fault = DOWN
    with pytest.raises(ViewTooOld):
        warm.get()


def test_generations_are_handed_on_to_the_store(founded, aws, clock):
    """On the real store a refresh is one GetParameters, and a fresh view none."""
    view = founded.view
    view.get()
    aws.reset()
    view.get()
    clock.advance(founded.times.view_ttl + 0.1)
    assert view.get() == replace(view.get())
    assert aws.operations == ["ssm:GetParameters"]
