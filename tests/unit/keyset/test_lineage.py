"""Which stored generations count: the oldest, and those that lawfully follow it, name by name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from keyturn.keyset import document
from keyturn.keyset.errors import NewerSchema
from keyturn.keyset.lineage import Lineage, StoredParameter, trace
from keyturn.keyset.model import Generation, Key, Keyset
from keyturn.keyset.states import State

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = Key("k" * 43, "arn:aws:kms:us-east-1:1:key/k", State.STANDBY, 60, START)


def root(number: int, **changes) -> Generation:
    """A keyset's first generation."""
    return sealed(replace(Generation(number, "op", "", "", START, Keyset((KEY,))), **changes))


def child(parent: Generation, number: int, **changes) -> Generation:
    """A generation that names this one as its parent."""
    return sealed(replace(parent, number=number, parent=document.digest(parent.text), **changes))


def sealed(generation: Generation) -> Generation:
    """The generation with its text."""
    return document.loads(document.dumps(generation))


def stored(generation: Generation, minute: float, **changes) -> StoredParameter:
    """The generation as a parameter that was created at this minute."""
    modified = START + timedelta(minutes=minute)
    return replace(
        StoredParameter(f"{generation.number:012d}", generation.text, 1, modified), **changes
    )


ROOT = root(5)
SECOND = child(ROOT, 6)
THIRD = child(SECOND, 7)
CHAIN = (stored(ROOT, 1), stored(SECOND, 2), stored(THIRD, 3))


def numbers(parameters) -> list[int]:
    """The numbers of the generations that count."""
    lineage = trace(parameters)
    return [one.number for one in lineage.chain] if lineage else []


def test_the_lineage_is_that_of_the_parents():
    """The order in which the parameters are listed does not matter; the next number is free."""
    for parameters in permutations(CHAIN):
        assert numbers(parameters) == [5, 6, 7]
    lineage = trace(CHAIN)
    assert lineage
    assert (lineage.head, lineage.next_number, lineage.rejections) == (THIRD, 8, {})


def test_without_a_readable_generation_there_is_no_lineage():
    """There may be no parameters, or only one that is not a document."""
    assert trace([]) is None
    assert trace([replace(CHAIN[0], text="{")]) is None


FORGED = {
    "a lower number": stored(root(1), 4),
    "a number just below": stored(root(4), 4),
    "a number just above": stored(root(8), 4),
    "a far number": stored(child(THIRD, 9), 4),
    "the last number": stored(child(THIRD, 999_999_999_999), 4),
    "a short name": stored(child(THIRD, 8), 4, name="8"),
    "a long name": stored(child(THIRD, 8), 4, name="0000000000008"),
    "digits of another script": stored(child(THIRD, 8), 4, name="٠٠٠٠٠٠٠٠٠٠٠٨"),
    "an older parent": stored(child(SECOND, 8), 4),
    "another number inside": stored(child(THIRD, 9), 4, name="000000000008"),
    "overwritten": stored(child(THIRD, 8), 4, version=2),
    "of the future": stored(child(THIRD, 8, at=START + timedelta(hours=1)), 4),
    "without its key": stored(child(THIRD, 8, keyset=Keyset()), 4),
    "garbage": stored(root(8), 4, text="{"),
    "a newer release of another parent": stored(
        root(8), 4, text='{"schema":2,"parent":"' + "p" * 43 + '"}'
    ),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_generation_does_not_count(forged):
    """The lineage is the same as without it."""
    assert numbers([*CHAIN, forged]) == [5, 6, 7]


@pytest.mark.parametrize(
    "forged", [one for one in FORGED.values() if one.number == 8], ids=lambda one: one.text[:9]
)
def test_a_taken_name_is_skipped(forged):
    """The successor has the next number; the lineage says why the other does not count."""
    following = stored(child(THIRD, 9), 5)
    lineage = trace([*CHAIN, forged, following])
    assert lineage
    assert ([one.number for one in lineage.chain], lineage.next_number) == ([5, 6, 7, 9], 10)
    assert lineage.rejections[8].startswith("000000000008: ")


def test_of_two_successors_the_lower_name_counts():
    """All readers agree which of two writers was first."""
    assert numbers([*CHAIN, stored(child(THIRD, 9), 4), stored(child(THIRD, 8), 5)]) == [5, 6, 7, 8]


def test_the_root_is_the_oldest():
    """Pruning leaves a root without a parent; of two of the same date, the lower name is older."""
    assert numbers(CHAIN[1:]) == [6, 7]
    assert numbers([*CHAIN[1:], stored(root(3), 2)]) == [3]
    assert numbers([*CHAIN[1:], stored(root(9), 2)]) == [6, 7]


@pytest.mark.parametrize("place", [0, 1])
def test_an_overwritten_generation_does_not_count(place):
    """It does not count even as the root."""
    parameters = [replace(one, version=2) if one is CHAIN[place] else one for one in CHAIN]
    assert numbers(parameters) == ([6, 7] if place == 0 else [5])


def test_a_generation_of_a_newer_release_is_an_error():
    """The error names it."""
    text = THIRD.text.replace('"schema":1', '"schema":2')
    with pytest.raises(NewerSchema, match="000000000007: schema 2"):
        trace([*CHAIN[:2], replace(CHAIN[2], text=text)])
    with pytest.raises(NewerSchema, match="000000000007: schema 2"):
        trace([replace(CHAIN[2], text=text)])


def test_a_lineage_grows_with_what_is_read():
    """A warm reader extends it with the parameters that it has not read yet."""
    lineage = Lineage.from_generation(ROOT).extend({6: CHAIN[1]})
    assert lineage.extend({7: CHAIN[2]}) == trace(CHAIN)
    assert lineage.extend({8: stored(child(THIRD, 8), 4)}) == lineage
