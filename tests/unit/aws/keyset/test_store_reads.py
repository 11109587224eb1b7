"""Reading the keyset: the highest generation, however many there are, and only if it is whole."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from keyturn.aws.keyset.reader import GenerationLost
from keyturn.keyset import document
from keyturn.keyset.errors import NewerSchema
from keyturn.keyset.model import EndedKey, Keyset
from keyturn.keyset.states import State

PATH = "/keyturn/demo/keyset"


def generations(founded, cloud, top: int):
    """Have the generations from 1 to `top`, each with its number as the op_id."""
    first = latest = founded.keysets.read()
    for number in range(2, top + 1):
        latest = successor(latest, op_id=str(number))
        name = f"{PATH}/{number:012d}"
        cloud.ssm.put(name, latest.text)
    return first


def successor(parent, **changes):
    """What lawfully follows a generation, under the next number."""
    members = {"number": parent.number + 1, "parent": document.digest(parent.text), **changes}
    return document.loads(document.dumps(replace(parent, **members)))


@pytest.mark.parametrize("top", [1, 9, 10, 11, 23])
def test_the_highest_generation_is_the_keyset(founded, cloud, top):
    """Every page of the listing counts, and numbers are compared as numbers."""
    generations(founded, cloud, top)
    assert founded.keysets.read().number == top
    assert sorted(founded.keysets.read_texts()) == list(range(1, top + 1))


@pytest.mark.parametrize(
    ("top", "calls"), [(1, 1), (2, 1), (9, 1), (10, 2), (11, 2), (19, 2), (20, 3), (35, 4)]
)
def test_newer_walks_ahead(founded, cloud, aws, top, calls):
    """Nine names ahead are asked for in one call, and further ones while the last one exists."""
    first = generations(founded, cloud, top)
    aws.reset()
    assert founded.keysets.read_newer(first).number == top
    assert aws.operations == ["ssm:GetParameters"] * calls


def test_newer_asks_for_the_next_names_only(founded, aws):
    """A warm reader costs one GetParameters with its own name and the next nine."""
    held = founded.keysets.read()
    aws.reset()
    assert founded.keysets.read_newer(held) == held
    [asked] = aws.params("ssm:GetParameters")
    assert asked["Names"] == [f"{PATH}/{number:012d}" for number in range(1, 11)]


@pytest.mark.parametrize("top", [7, 14, 30])
def test_newer_lists_when_its_own_generation_was_pruned(founded, cloud, top):
    """Whoever slept so long that its generation is gone finds the keyset by listing."""
    first = generations(founded, cloud, top)
    founded.keysets.remove(f"{n:012d}" for n in range(1, top - 4))
    assert founded.keysets.read_newer(first).number == top


def test_newer_never_goes_back(founded, cloud):
    """What is held is gone, and what counts is older: SSM answered from the past, or it was deleted."""
    first = generations(founded, cloud, 3)
    with pytest.raises(GenerationLost, match="000000000009"):
        founded.keysets.read_newer(replace(first, number=9))


def test_newer_refuses_what_cannot_have_become_of_it(founded, cloud):
    """Another text under the held number, which brings back what has ended."""
    generations(founded, cloud, 2)
    held = founded.keysets.read()
    end = EndedKey("k" * 43, "arn:aws:kms:us-east-1:1:key/k", State.REVOKED, held.at, held.at)
    with pytest.raises(GenerationLost, match="is lost"):
        founded.keysets.read_newer(replace(held, keyset=Keyset(ended=(end,)), text="another"))


def test_deleting_takes_ten_names_a_call(founded, cloud, aws):
    """SSM deletes at most ten parameters at once; exactly the named ones go."""
    generations(founded, cloud, 25)
    founded.keysets.remove(f"{n:012d}" for n in range(1, 22))
    assert sorted(founded.keysets.read_texts()) == [22, 23, 24, 25]
    assert [len(call["Names"]) for call in aws.params("ssm:DeleteParameters")] == [10, 10, 1]


def spoiled(text: str, **changes) -> str:
    """The document with other members; a member set to `...` is left out."""
    members = {**json.loads(text), **changes}
    return json.dumps({name: value for name, value in members.items() if value is not ...})


UNLAWFUL = {
    "cut": lambda text: text[:-1],
    "no object": lambda text: "[]",
    "newer schema of another parent": lambda text: spoiled(text, schema=2, parent="p" * 43),
    "member missing": lambda text: spoiled(text, keys=...),
    "unknown member": lambda text: spoiled(text, note="?"),
    "other number": lambda text: spoiled(text, generation=1),
    "other parent": lambda text: spoiled(text, parent="p" * 43),
    "of the past": lambda text: spoiled(text, at="2026-03-01T11:00:00Z"),
    "of the future": lambda text: spoiled(text, at="2999-01-01T00:00:00Z"),
}


@pytest.mark.parametrize("spoil", UNLAWFUL.values(), ids=UNLAWFUL)
def test_what_does_not_follow_is_stepped_over(founded, cloud, origin, spoil):
    """Readers ignore it and writers write above it; it stays as it is."""
    first = generations(founded, cloud, 1)
    name, text = f"{PATH}/000000000002", spoil(successor(first).text)
    cloud.ssm.put(name, text)
    assert founded.keysets.read() == founded.keysets.read_newer(first) == first
    written = founded.keysets.update(lambda keyset, now: replace(keyset, horizon=now), origin)
    assert (written.number, written.parent) == (3, document.digest(first.text))
    assert founded.keysets.read_newer(first).number == founded.keysets.read().number == 3
    assert founded.keysets.read_texts()[2] == text


def test_a_newer_release_that_follows_stops_an_older_one(founded, cloud, origin):
    """It is refused with the parameter's name and the reason, and nothing is written over it."""
    first = generations(founded, cloud, 1)
    text = spoiled(successor(first).text, schema=2)
    cloud.ssm.put(f"{PATH}/000000000002", text)
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
def test_a_far_generation_freezes_nobody(founded, cloud, origin, number):
    """Where a name in between is free nothing above it counts, for warm readers and new ones."""
    first = generations(founded, cloud, 1)
    text = successor(first, number=number).text
    cloud.ssm.put(f"{PATH}/{number:012d}", text)
    assert (
        founded.keysets.update(lambda keyset, now: replace(keyset, horizon=now), origin).number == 2
    )
    assert founded.keysets.read().number == founded.keysets.read_newer(first).number == 2


def test_a_forged_low_generation_is_never_the_root(founded, origin, cloud, clock):
    """It is younger than the root, by SSM's own date."""
    founded.keysets.remove(["000000000001"])
    root = founded.keysets.create(7, origin)
    forged = document.dumps(replace(root, number=3, op_id="forged"))
    clock.advance(0.002)  # SSM's dates are of milliseconds
    cloud.ssm.put(f"{PATH}/000000000003", forged)
    assert founded.keysets.read() == root


def test_a_second_name_of_the_same_number_is_none(founded, cloud):
    """A canonical name has exactly twelve digits."""
    generations(founded, cloud, 2)
    text = successor(founded.keysets.read(), number=2, op_id="forged").text
    for name in ("2", "0000000000002"):
        cloud.ssm.put(f"{PATH}/{name}", text)
    assert founded.keysets.read().op_id == "2"


def test_newer_does_not_go_on_from_a_lost_line(founded, cloud, origin):
    """What is held stands, but one below it was deleted, others went on there, and now above."""
    generations(founded, cloud, 3)
    held = founded.keysets.read()
    founded.keysets.remove(["000000000002"])
    for step in (1, 2):
        written = founded.keysets.update(
            lambda keyset, now, step=step: replace(keyset, horizon=now + timedelta(seconds=step)),
            origin,
        )
    assert written.number == held.number + 1
    assert founded.keysets.read_newer(held) == written
