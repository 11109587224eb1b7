"""Which keys verify at an instant, and which keysets break an invariant."""

from datetime import UTC, datetime, timedelta

import pytest

from keyturn.keyset.errors import InvariantBroken, UnknownKid
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def live(letter: str, state: State, **instants: datetime) -> Key:
    """A live key whose kid repeats `letter`."""
    return Key(letter * 43, f"arn:aws:kms:::key/{letter}", state, 3600, NOW, **instants)


def ended(letter: str, state: State) -> EndedKey:
    """An ended key whose kid repeats `letter`."""
    return EndedKey(letter * 43, f"arn:aws:kms:::key/{letter}", state, NOW, NOW)


ACTIVE = live("a", State.ACTIVE)
STANDBY = live("s", State.STANDBY)
GRACE = live("g", State.GRACE, verify_until=NOW)
RETIRED = ended("r", State.RETIRED)


@pytest.mark.parametrize(
    ("key", "counts"),
    [
        (ACTIVE, True),
        (STANDBY, False),
        (live("s", State.STANDBY, published=NOW), True),
        (live("r", State.RETIRED, published=NOW, verify_until=NOW + SECOND), False),
        (live("v", State.REVOKED, published=NOW, verify_until=NOW + SECOND), False),
    ],
    ids=["active, unpublished", "standby", "standby, published", "retired", "revoked"],
)
def test_which_states_verify(key, counts):
    """The active key verifies, a standby once it is published, an ended key never."""
    assert key.verifies(NOW) is counts


def test_a_grace_key_verifies_until_its_instant():
    """A grace key verifies at `verify_until` and no moment later."""
    assert GRACE.verifies(NOW - SECOND)
    assert GRACE.verifies(NOW)
    assert not GRACE.verifies(NOW + timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("keys", "ends", "sentence"),
    [
        ([ACTIVE, live("b", State.ACTIVE)], [], "a keyset has at most one active key"),
        ([STANDBY, live("t", State.STANDBY)], [], "a keyset has at most one standby key"),
        ([ACTIVE, live("a", State.STANDBY)], [], "a kid occurs at most once in a keyset"),
        ([ACTIVE], [ended("a", State.REVOKED)], "a kid occurs at most once in a keyset"),
        ([], [RETIRED, RETIRED], "a kid occurs at most once in a keyset"),
        ([live("r", State.RETIRED)], [], "a retired or revoked key is not a live key"),
        ([live("v", State.REVOKED)], [], "a retired or revoked key is not a live key"),
        ([], [ended("a", State.ACTIVE)], "only retired and revoked keys have ended"),
        ([live("g", State.GRACE)], [], "a grace key needs an instant until which it verifies"),
    ],
    ids=[
        "two active",
        "two standby",
        "kid twice alive",
        "kid alive and ended",
        "kid ended twice",
        "retired alive",
        "revoked alive",
        "active ended",
        "endless grace",
    ],
)
def test_a_keyset_that_breaks_an_invariant_cannot_be_created(keys, ends, sentence):
    """The error is that invariant."""
    with pytest.raises(InvariantBroken) as broken:
        Keyset(tuple(keys), tuple(ends))
    assert str(broken.value) == sentence


def test_a_keyset_without_a_signer_is_legal():
    """A keyset may have no active key."""
    keyset = Keyset((GRACE,), (RETIRED,))
    assert keyset.active is None
    assert keyset.standby is None


def test_keys_are_found_by_role_and_kid():
    """The properties pick the keys of their state; `find` and `get` know live and ended ones."""
    later = live("h", State.GRACE, verify_until=NOW)
    keyset = Keyset((GRACE, STANDBY, ACTIVE, later), (RETIRED,))
    assert (keyset.active, keyset.standby, keyset.grace) == (ACTIVE, STANDBY, (GRACE, later))
    assert keyset.all_keys == (GRACE, STANDBY, ACTIVE, later, RETIRED)
    for key in keyset.all_keys:
        assert keyset.find(key.kid) is keyset.get(key.kid) is key


def test_an_unknown_kid_is_not_found():
    """`find` answers None, and `get` refuses, naming the kid."""
    keyset, kid = Keyset((ACTIVE,)), "x" * 43
    assert keyset.find(kid) is None
    with pytest.raises(UnknownKid, match=f"^key {kid} is not in the keyset$"):
        keyset.get(kid)
