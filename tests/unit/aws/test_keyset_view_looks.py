"""Looking again before C is over: for an unknown kid, for KMS's objection, and for a signer."""

import pytest

from keyturn.aws.faults import Unanswered
from keyturn.aws.keyset_view import ViewTooOld

TTL = 30
DOWN = Unanswered("ssm:GetParameters", "ReadTimeoutError")


def test_an_unknown_kid_refreshes_a_fresh_view(warm, reader, clock):
    """Five seconds after the last read a fresh view may be looked at again."""
    clock.advance(5.001)
    reader.number = 6
    assert (warm.refreshed().number, reader.reads) == (6, 1)


def test_unknown_kids_refresh_at_most_once_in_five_seconds(warm, reader, clock):
    """Whatever is asked for, and whether the read succeeds or not."""
    reader.fault = DOWN
    for _ in range(20):
        clock.advance(1)
        assert warm.refreshed().number == 5
    assert reader.reads == 3


def test_a_refresh_by_an_unknown_kid_renews_the_view(warm, reader, clock):
    """What was read then needs no second read when C is over."""
    clock.advance(TTL - 1)
    warm.refreshed()
    clock.advance(2)
    warm.current()
    assert reader.reads == 1


def test_an_unknown_kid_is_not_unknown_on_a_stale_view(warm, reader, clock):
    """Without SSM, beyond C, what is not in the view may exist all the same: a fault."""
    reader.fault = DOWN
    clock.advance(TTL + 1)
    assert warm.current().number == 5
    with pytest.raises(ViewTooOld, match="a kid is not in the last one seen"):
        warm.refreshed()


def test_rereading_asks_at_once(warm, reader):
    """KMS has said that the view is wrong: neither its age nor the last read matter."""
    reader.number = 6
    assert [warm.reread().number for _ in range(2)] == [6, 6]
    assert reader.reads == 2


@pytest.mark.parametrize("answer", ["none", "from the past"])
def test_rereading_in_vain_is_a_fault(warm, reader, answer):
    """What is known was wrong; there is nothing to go back to."""
    reader.number, reader.fault = 4, DOWN if answer == "none" else None
    with pytest.raises(ViewTooOld):
        warm.reread()
    assert warm.current().number == 5


def test_a_signer_uses_a_fresh_view(warm, reader, clock):
    """Up to the age of C it costs no read; beyond, one."""
    clock.advance(TTL)
    reader.number = 6
    assert (warm.for_signing().number, reader.reads) == (5, 0)
    clock.advance(0.001)
    assert (warm.for_signing().number, reader.reads) == (6, 1)


@pytest.mark.parametrize("answer", ["none", "from the past"])
def test_a_signer_never_goes_on_with_an_old_view(warm, reader, clock, answer):
    """The key may have been superseded: its tokens could outlive its grace. Nor is SSM flooded."""
    reader.number, reader.fault = 4, DOWN if answer == "none" else None
    clock.advance(TTL + 0.001)
    for _ in range(10):
        with pytest.raises(ViewTooOld):
            warm.for_signing()
    assert reader.reads == 1
    assert warm.current().number == 5


def test_a_view_never_read_has_nothing_to_offer(view, reader):
    """`refreshed` before the first read raises the read's own fault."""
    reader.fault = DOWN
    with pytest.raises(Unanswered):
        view.refreshed()
