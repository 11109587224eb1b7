"""Reading the keyset: the highest generation, however many there are, and only if it is whole."""

import json
from dataclasses import replace

import pytest

from keyturn.keyset import document
from keyturn.keyset.errors import DocumentInvalid
from keyturn.keyset.model import Keyset

PATH = "/keyturn/demo/keyset"


@pytest.fixture
def generations(founded, backdoor):
    """Have the generations from 1 to `top`, each with its number as the op_id."""

    def generations(top: int):
        first = founded.keysets.read()
        for number in range(2, top + 1):
            text = document.dumps(replace(first, number=number, op_id=str(number)))
            name = f"{PATH}/{number:012d}"
            backdoor.ssm.put_parameter(Name=name, Value=text, Type="String")
        return first

    return generations


@pytest.mark.parametrize("top", [1, 9, 10, 11, 23])
def test_the_highest_generation_is_the_keyset(generations, founded, top):
    """Every page of the listing counts, and numbers are compared as numbers."""
    generations(top)
    assert founded.keysets.read().number == top
    assert sorted(founded.keysets.stored()) == list(range(1, top + 1))


@pytest.mark.parametrize(
    ("top", "calls"), [(1, 1), (2, 1), (9, 1), (10, 2), (11, 2), (19, 3), (28, 4), (35, 4)]
)
def test_newer_walks_ahead(generations, founded, aws, top, calls):
    """Nine names ahead are asked for in one call, and further ones while the last one exists."""
    first = generations(top)
    aws.reset()
    assert founded.keysets.newer(first).number == top
    assert aws.operations == ["ssm:GetParameters"] * calls


def test_newer_asks_for_the_next_names_only(founded, aws):
    """A warm reader costs one GetParameters with its own name and the next nine."""
    held = founded.keysets.read()
    aws.reset()
    assert founded.keysets.newer(held) == held
    [asked] = aws.params("ssm:GetParameters")
    assert asked["Names"] == [f"{PATH}/{number:012d}" for number in range(1, 11)]


@pytest.mark.parametrize("top", [7, 14, 30])
def test_newer_lists_when_its_own_generation_was_pruned(generations, founded, top):
    """Whoever slept so long that its generation is gone finds the keyset by listing."""
    first = generations(top)
    founded.keysets.delete(range(1, top - 4))
    assert founded.keysets.newer(first).number == top


def test_newer_goes_back_only_when_ssm_does(generations, founded):
    """A held generation that SSM does not know of yields what SSM has; views refuse that one."""
    first = generations(3)
    assert founded.keysets.newer(replace(first, number=9)).number == 3


def test_deleting_takes_ten_names_a_call(generations, founded, aws):
    """SSM deletes at most ten parameters at once; exactly the named ones go."""
    generations(25)
    founded.keysets.delete(range(1, 22))
    assert sorted(founded.keysets.stored()) == [22, 23, 24, 25]
    assert [len(call["Names"]) for call in aws.params("ssm:DeleteParameters")] == [10, 10, 1]


def spoiled(text: str, **changes) -> str:
    """The document with other members; a member set to `...` is left out."""
    members = {**json.loads(text), **changes}
    return json.dumps({name: value for name, value in members.items() if value is not ...})


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda text: text[:-1], "not JSON"),
        (lambda text: "[]", "document"),
        (lambda text: spoiled(text, schema=2), "schema 2 is newer than 1: deploy a newer Keyturn"),
        (lambda text: spoiled(text, keys=...), "keys"),
        (lambda text: spoiled(text, note="?"), "note"),
        (lambda text: spoiled(text, generation=1), "holds generation 1"),
    ],
    ids=["cut", "no object", "newer schema", "member missing", "unknown member", "other number"],
)
def test_a_document_that_is_not_understood_is_left_alone(
    generations, founded, origin, backdoor, world, spoil, problem
):
    """It is refused with the parameter's name and the reason, and nothing is written over it."""
    first = generations(1)
    name = f"{PATH}/000000000002"
    text = spoil(document.dumps(replace(first, number=2)))
    backdoor.ssm.put_parameter(Name=name, Value=text, Type="String")
    before = world()
    for act in (
        founded.keysets.read,
        lambda: founded.keysets.newer(first),
        lambda: founded.keysets.update(lambda _keyset, _now: Keyset(), origin),
    ):
        with pytest.raises(DocumentInvalid) as refused:
            act()
        assert name in str(refused.value)
        assert problem in str(refused.value)
    assert world() == before
