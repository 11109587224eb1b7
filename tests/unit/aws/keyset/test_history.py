"""The history in S3: each text under a name of its own, and nothing else in its place."""

from dataclasses import replace

import pytest

from keyturn.aws.faults import AwsFault
from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid


@pytest.fixture
def generation(founded):
    """What counts."""
    return founded.keysets.read()


def keep(founded, generation):
    """Keep it."""
    return founded.history.keep(generation.number, generation.text)


@pytest.fixture
def name(generation):
    """The object that holds it."""
    return f"history/000000000001-{document.digest(generation.text)}.json"


def test_a_generation_is_kept_under_its_number_and_its_digest(founded, generation, name, cloud):
    """Twelve digits, so that the names sort like the numbers."""
    assert keep(founded, generation) is False
    [(kept, (text, _, _))] = cloud.snapshot()["objects"].items()
    assert (kept, text) == (name, generation.text.encode())


def test_keeping_a_generation_again_changes_nothing(founded, generation, cloud):
    """The same text a second time is not written again."""
    keep(founded, generation)
    before = cloud.snapshot()
    assert keep(founded, generation) is False
    assert cloud.snapshot() == before


def test_another_text_of_the_number_is_another_object(founded, generation, cloud):
    """Whoever kept it: both can be read."""
    other = replace(generation, op_id="op-other")
    founded.history.keep(1, document.dumps(other))
    keep(founded, generation)
    assert len(cloud.snapshot()["objects"]) == 2
    assert founded.history.holds(generation)
    assert [founded.history.read(one).op_id for one in founded.history.generations()] == [
        "op-other",
        generation.op_id,
    ]


def test_other_bytes_under_the_name_are_not_the_generation(founded, generation, name, cloud):
    """Only one text belongs there: it is written over them, and that is told."""
    cloud.s3.write(name, b"{}")
    assert not founded.history.holds(generation)
    assert keep(founded, generation) is True
    assert founded.history.holds(generation)
    assert cloud.s3.body(name).decode() == generation.text


def test_whoever_goes_on_writing_is_left_at_it(founded, generation, name, aws, cloud):
    """A fault, after a few attempts: the next run tries again."""
    bodies = iter(range(99))

    def meddle():
        cloud.s3.write(name, str(next(bodies)).encode())

    aws.meanwhile("s3:PutObject", meddle, times=99)
    with pytest.raises(AwsFault, match="s3:PutObject"):
        keep(founded, generation)


@pytest.mark.parametrize("is_there", [False, True], ids=["absent", "foreign"])
def test_a_lost_reply_is_no_conflict(founded, generation, name, aws, cloud, is_there):
    """botocore repeats the write and meets the first one: the text is the same."""
    if is_there:
        cloud.s3.write(name, b"{}")
    aws.fail("s3:PutObject", aws.timeout, after=True, nth=2 if is_there else 1)
    keep(founded, generation)
    [(text, _, _)] = cloud.snapshot()["objects"].values()
    assert text == generation.text.encode()


@pytest.mark.parametrize(
    ("since", "numbers"),
    [(0, [2, 9, 10]), (2, [2, 9, 10]), (3, [9, 10]), (10, [10]), (11, []), (-5, [2, 9, 10])],
)
def test_what_is_kept_is_listed(stack, since, numbers):
    """From a number on; a stack that is founded again goes on behind it."""
    for number in (9, 10, 2):
        stack.history.keep(number, "{}")
    stack.well_known.write_metadata()  # other objects do not count
    assert [one.number for one in stack.history.generations(since)] == numbers


def test_only_so_many_are_listed(stack, aws):
    """However many somebody has put there."""
    for number in range(3, 8):
        stack.history.keep(number, "{}")
    assert [one.number for one in stack.history.objects(0, 2)] == [3, 4]


def test_what_is_kept_can_be_read(founded, generation):
    """As the generation that it was."""
    keep(founded, generation)
    [kept] = founded.history.generations()
    assert founded.history.read(kept) == generation


def test_a_generation_under_another_number_is_invalid(founded, generation):
    """Its digest is right, its number is not."""
    founded.history.keep(7, generation.text)
    [kept] = founded.history.generations()
    with pytest.raises(DocumentInvalid, match="holds generation 1"):
        founded.history.read(kept)
