"""The history in S3: every generation once, and never another text in its place."""

import pytest

from keyturn.aws.faults import Conflict


def test_a_generation_is_kept_under_its_number(stack, world):
    """Twelve digits, so that the names sort like the numbers."""
    stack.history.keep(42, '{"generation":42}')
    [(name, (text, _, _))] = world()["objects"].items()
    assert (name, text) == ("history/000000000042.json", b'{"generation":42}')


def test_keeping_a_generation_again_changes_nothing(stack, world):
    """The same text a second time is no conflict, and is not written again."""
    stack.history.keep(42, "{}")
    before = world()
    stack.history.keep(42, "{}")
    assert world() == before


def test_another_text_is_a_conflict(stack, world):
    """What is kept stays as it is."""
    stack.history.keep(42, "{}")
    before = world()
    with pytest.raises(Conflict):
        stack.history.keep(42, "{ }")
    assert world() == before


def test_a_lost_reply_is_no_conflict(stack, aws, world):
    """botocore repeats the write and meets the first one: the text is the same."""
    aws.fail("s3:PutObject", aws.timeout, after=True)
    stack.history.keep(42, "{}")
    assert aws.attempts.count("s3:PutObject") == 2
    assert len(world()["objects"]) == 1


@pytest.mark.parametrize(
    ("since", "found"), [(0, {2, 9, 10}), (2, {2, 9, 10}), (3, {9, 10}), (10, {10}), (11, set())]
)
def test_what_is_kept_is_listed(stack, since, found):
    """A stack that is founded again goes on behind it; nobody keeps a generation twice."""
    for number in (9, 10, 2):
        stack.history.keep(number, "{}")
    stack.well_known.write_metadata()  # other objects do not count
    assert stack.history.numbers(since) == found


def test_what_is_kept_can_be_read(stack):
    """And what is not is not."""
    stack.history.keep(42, '{"generation":42}')
    assert (stack.history.read(42), stack.history.read(41)) == ('{"generation":42}', None)
