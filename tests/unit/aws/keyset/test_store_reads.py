"""Reading the keyset: the highest generation that counts, however many there are."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from keyturn.aws.keyset.reader import GenerationLost
from keyturn.keyset import document
from keyturn.keyset.errors import NewerSchema
from keyturn.keyset.model import EndedKey, Keyset
from keyturn.keyset.states import State
from tests.unit.stage import KEYSET


def append(founded, cloud, top: int):
    """Append generations up to `top`, with their numbers as op_ids; returns the first one."""
    first = latest = founded.keysets.read()
    for number in range(2, top + 1):
        latest = successor(latest, op_id=str(number))
        put(cloud, number, latest.text)
    return first


def put(cloud, number: int, text: str) -> None:
    """Write any text as a generation."""
    cloud.ssm.put(f"{KEYSET}/{number:012d}", text)


def successor(parent, **changes):
    """A lawful successor of a generation, under the next number."""
    members = {"number": parent.number + 1, "parent": document.digest(parent.text), **changes}
    return document.loads(document.dumps(replace(parent, **members)))


def extend_horizon(founded, origin, seconds=0):
    """Append a change, as the product does."""
    return founded.keysets.update(
        lambda keyset, now: replace(keyset, horizon=now + timedelta(seconds=seconds)), origin
    )


@pytest.mark.parametrize(
    ("top", "calls"), [(1, 1), (2, 1), (9, 1), (10, 2), (11, 2), (19, 2), (20, 3), (35, 4)]
)
def test_the_highest_generation_is_the_keyset(founded, cloud, aws, top, calls):
    """A listing has many pages; a warm reader asks for ten names per call."""
    first = append(founded, cloud, top)
    assert founded.keysets.read().number == top
    assert sorted(founded.keysets.read_texts()) == list(range(1, top + 1))
    aws.reset()
    assert founded.keysets.read_newer(first).number == top
    assert aws.operations == ["ssm:GetParameters"] * calls
    names = aws.params("ssm:GetParameters")[0]["Names"]
    assert names == [f"{KEYSET}/{number:012d}" for number in range(1, 11)]


@pytest.mark.parametrize("top", [7, 14, 30])
def test_a_reader_whose_generation_was_pruned_lists_the_keyset(founded, cloud, top):
    """It may have slept for a long time."""
    first = append(founded, cloud, top)
    founded.keysets.remove(f"{n:012d}" for n in range(1, top - 4))
    assert founded.keysets.read_newer(first).number == top


def test_a_reader_never_goes_back(founded, cloud):
    """Its generation is gone and an older one counts: SSM answered from the past, or it was deleted."""
    first = append(founded, cloud, 3)
    with pytest.raises(GenerationLost, match="000000000009"):
        founded.keysets.read_newer(replace(first, number=9))


def test_a_reader_refuses_a_generation_that_cannot_have_followed(founded, cloud):
    """Another text under the cached number would bring an ended key back."""
    append(founded, cloud, 2)
    latest = founded.keysets.read()
    end = EndedKey("k" * 43, "arn:aws:kms:us-east-1:1:key/k", State.REVOKED, latest.at, latest.at)
    with pytest.raises(GenerationLost, match="is lost"):
        founded.keysets.read_newer(replace(latest, keyset=Keyset(ended=(end,)), text="another"))


def test_a_reader_does_not_continue_a_lost_lineage(founded, cloud, origin):
    """Its generation exists, but one below was deleted and others continued from there."""
    append(founded, cloud, 3)
    latest = founded.keysets.read()
    founded.keysets.remove(["000000000002"])
    extend_horizon(founded, origin, 1)
    written = extend_horizon(founded, origin, 2)
    assert written.number == latest.number + 1
    assert founded.keysets.read_newer(latest) == written


def test_ten_generations_are_deleted_per_call(founded, cloud, aws):
    """SSM deletes at most ten parameters at once."""
    append(founded, cloud, 25)
    founded.keysets.remove(f"{n:012d}" for n in range(1, 22))
    assert sorted(founded.keysets.read_texts()) == [22, 23, 24, 25]
    assert [len(call["Names"]) for call in aws.params("ssm:DeleteParameters")] == [10, 10, 1]


def changed(text: str, **changes) -> str:
    """The document with other members; a member set to `...` is omitted."""
    members = {**json.loads(text), **changes}
    return json.dumps({name: value for name, value in members.items() if value is not ...})


UNLAWFUL = {
    "cut": lambda text: text[:-1],
    "no object": lambda text: "[]",
    "newer schema of another parent": lambda text: changed(text, schema=2, parent="p" * 43),
    "member missing": lambda text: changed(text, keys=...),
    "unknown member": lambda text: changed(text, note="?"),
    "other number": lambda text: changed(text, generation=1),
    "other parent": lambda text: changed(text, parent="p" * 43),
    "of the past": lambda text: changed(text, at="2026-03-01T11:00:00Z"),
    "of the future": lambda text: changed(text, at="2999-01-01T00:00:00Z"),
}


@pytest.mark.parametrize("spoil", UNLAWFUL.values(), ids=UNLAWFUL)
def test_an_unlawful_successor_is_skipped(founded, cloud, origin, spoil):
    """Readers ignore it, writers write above it, and it is not changed."""
    first = founded.keysets.read()
    text = spoil(successor(first).text)
    put(cloud, 2, text)
    assert founded.keysets.read() == founded.keysets.read_newer(first) == first
    written = extend_horizon(founded, origin)
    assert (written.number, written.parent) == (3, document.digest(first.text))
    assert founded.keysets.read_newer(first).number == founded.keysets.read().number == 3
    assert founded.keysets.read_texts()[2] == text


def test_a_successor_of_a_newer_release_stops_an_older_one(founded, cloud, origin):
    """The error names the parameter and the reason; nothing is written above it."""
    first = founded.keysets.read()
    put(cloud, 2, changed(successor(first).text, schema=2))
    before = cloud.snapshot()
    for act in (
        founded.keysets.read,
        lambda: founded.keysets.read_newer(first),
        lambda: founded.keysets.update(lambda _keyset, _now: Keyset(), origin),
    ):
        with pytest.raises(NewerSchema, match="000000000002: schema 2 is newer than 1: deploy"):
            act()
    assert cloud.snapshot() == before


@pytest.mark.parametrize("number", [12, 999_999_999_999])
def test_a_generation_above_a_free_name_does_not_count(founded, cloud, origin, number):
    """This holds for warm readers and new ones, so it stops no writer."""
    first = founded.keysets.read()
    put(cloud, number, successor(first, number=number).text)
    assert extend_horizon(founded, origin).number == 2
    assert founded.keysets.read().number == founded.keysets.read_newer(first).number == 2


def test_a_forged_low_generation_is_never_the_root(founded, origin, cloud, clock):
    """By SSM's own date it is younger than the root."""
    founded.keysets.remove(["000000000001"])
    root = founded.keysets.create(7, origin)
    clock.advance(0.002)  # SSM's dates are of milliseconds
    put(cloud, 3, document.dumps(replace(root, number=3, op_id="forged")))
    assert founded.keysets.read() == root
