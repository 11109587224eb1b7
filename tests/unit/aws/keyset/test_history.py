"""The history in S3: each text is an object whose name contains its digest."""

from dataclasses import replace

import pytest

from keyturn.aws.faults import AwsFault
from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid

DIGEST = "A" * 43


@pytest.fixture
def generation(founded):
    """The generation that counts, number 1."""
    return founded.keysets.read()


@pytest.fixture
def name(generation):
    """The name of its object."""
    return f"history/000000000001-{document.digest(generation.text)}.json"


def test_a_generation_is_kept_once(founded, generation, name, cloud):
    """Its name has its number, in twelve digits so that names sort like numbers, and its digest."""
    for _ in range(2):
        assert founded.history.keep(1, generation.text) is False
    [(stored_name, (body, _, versions))] = cloud.snapshot()["objects"].items()
    assert (stored_name, body, versions) == (name, generation.text.encode(), 1)
    [history_object] = founded.history.generations()
    assert founded.history.read(history_object) == generation


def test_another_text_of_the_same_number_is_another_object(founded, generation, cloud):
    """Both can be read."""
    other = replace(generation, op_id="op-other")
    founded.history.keep(1, document.dumps(other))
    founded.history.keep(1, generation.text)
    assert founded.history.holds(generation)
    objects = founded.history.generations()
    op_ids = [founded.history.read(history_object).op_id for history_object in objects]
    assert op_ids == ["op-other", generation.op_id]


def test_a_different_text_under_the_name_is_replaced(founded, generation, name, cloud):
    """Only one text belongs there; `keep` reports the replacement."""
    cloud.s3.write(name, b"{}")
    assert not founded.history.holds(generation)
    assert founded.history.keep(1, generation.text) is True
    assert founded.history.holds(generation)
    assert cloud.s3.body(name).decode() == generation.text


def test_a_text_that_is_overwritten_again_and_again_is_a_fault(
    founded, generation, name, aws, cloud
):
    """After a few attempts it is left to the next run."""
    bodies = iter(range(99))
    aws.meanwhile(
        "s3:PutObject", lambda: cloud.s3.write(name, str(next(bodies)).encode()), times=99
    )
    with pytest.raises(AwsFault, match="s3:PutObject"):
        founded.history.keep(1, generation.text)


@pytest.mark.parametrize("body", [None, b"{}"], ids=["absent", "foreign"])
def test_a_lost_reply_is_no_conflict(founded, generation, name, aws, cloud, body):
    """botocore repeats the write, and meets its first attempt."""
    if body:
        cloud.s3.write(name, body)
    aws.fail("s3:PutObject", aws.timeout, after=True, nth=2 if body else 1)
    founded.history.keep(1, generation.text)
    assert cloud.s3.body(name) == generation.text.encode()


@pytest.mark.parametrize(
    ("since", "numbers"),
    [(0, [2, 9, 10]), (2, [2, 9, 10]), (3, [9, 10]), (10, [10]), (11, []), (-5, [2, 9, 10])],
)
def test_generations_are_listed_from_a_number_on(stack, since, numbers):
    """Other objects of the bucket are not listed."""
    for number in (9, 10, 2):
        stack.history.keep(number, "{}")
    stack.well_known.write_metadata()
    assert [entry.number for entry in stack.history.generations(since)] == numbers


def test_a_listing_has_a_limit(stack):
    """Anyone with write access could put a million objects there."""
    for number in range(3, 8):
        stack.history.keep(number, "{}")
    assert [entry.number for entry in stack.history.objects(0, 2)] == [3, 4]


def test_an_object_with_another_number_is_invalid(founded, generation):
    """Its digest is right, its number is not."""
    founded.history.keep(7, generation.text)
    [history_object] = founded.history.generations()
    with pytest.raises(DocumentInvalid, match="holds generation 1"):
        founded.history.read(history_object)


@pytest.mark.parametrize("body", [b"\xff", b"", b"{}"])
def test_an_object_with_other_content_than_its_digest_is_invalid(stack, cloud, body):
    """The error names the object."""
    stack.history.keep(2, "{ }")
    [history_object] = stack.history.generations()
    cloud.s3.write(history_object.name, body)
    with pytest.raises(DocumentInvalid, match=history_object.name):
        stack.history.read(history_object)


@pytest.mark.parametrize(
    "name",
    [
        *(
            f"{number}-{DIGEST}.json"
            for number in ("٠٠٠٠٠٠٠٠٠٠٠٣", "²", "3", "0" * 13, "-0000000003")
        ),
        *("clock.json", "000000000003.json", "000000000003-.json", f"000000000003-{DIGEST}.json/"),
    ],
)
def test_an_object_with_a_foreign_name_is_no_generation(stack, cloud, name):
    """It is listed apart, and does not stop reconcile."""
    stack.history.keep(2, "{}")
    cloud.s3.write(f"history/{name}", b"{}")
    assert [entry.number for entry in stack.history.generations()] == [2]
    objects = stack.history.objects()
    assert [entry.name for entry in objects if entry.number is None] == [f"history/{name}"]


def test_an_unlawful_text_is_kept_once_beside_the_generations(stack, cloud):
    """Readers of generations ignore its name."""
    for text in ("{", "{", "\ud800"):
        stack.history.keep_unlawful("000000000007", text)
        assert stack.history.holds_unlawful("000000000007", text)
    names = cloud.snapshot()["objects"].keys()
    assert len(names) == 2
    assert all(name.startswith("history/unlawful/000000000007-") for name in names)
    assert not stack.history.holds_unlawful("000000000008", "{")
    assert stack.history.objects() == []
