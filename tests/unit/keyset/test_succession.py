"""Which generation may follow another: the result of any transition, and nothing that undoes one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.states import State
from keyturn.keyset.succession import find_violation
from keyturn.keyset.timing import MAX_CLOCK_DIFFERENCE
from tests.unit.keyset.steps import activate, arn, publish, register, revoke, roll_back

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
A, B, C = (letter * 43 for letter in "ABC")
HOUR = timedelta(hours=1)


def life() -> list[Generation]:
    """The generations of two rotations, a rollback and a revocation."""
    steps = [
        (1, lambda keys, now: register(keys, A, now)),
        (2, lambda keys, now: publish(keys, [A], now)),
        (3, lambda keys, now: activate(keys, A, now, supersede=None)),
        (4, lambda keys, now: register(keys, B, now)),
        (5, lambda keys, now: publish(keys, [A, B], now)),
        (15, lambda keys, now: activate(keys, B, now, supersede=A)),
        (15, lambda keys, now: roll_back(keys, A, now, supersede=B)),
        (16, lambda keys, now: register(keys, C, now)),
        (17, lambda keys, now: revoke(keys, [A], now)),
    ]
    generations = [Generation(1, "", "", "", START, Keyset())]
    for hour, step in steps:
        latest, now = generations[-1], START + hour * HOUR
        keyset = step(latest.keyset, now)
        generations.append(replace(latest, number=latest.number + 1, at=now, keyset=keyset))
    return generations


def test_every_transition_may_follow():
    """So may several at once: the rule is transitive."""
    for before, after in combinations(life(), 2):
        assert find_violation(before, after) is None


def test_nothing_may_be_undone():
    """No earlier keyset follows a later one, as soon as one of the two has keys."""
    for before, after in combinations(life(), 2):
        undone = replace(before, at=after.at)
        assert find_violation(after, undone), (after.number, undone.number)


def key(**changes) -> Key:
    """The active key of the keysets below."""
    members = {"published": START, "activated": START, **changes}
    state = members.pop("state", State.ACTIVE)
    return Key(A, arn(A), state, 60, START - HOUR, **members)


def ended(state=State.REVOKED, **changes) -> EndedKey:
    """The same, ended."""
    return replace(EndedKey(A, arn(A), state, START - HOUR, START), **changes)


def generation(*keys: Key | EndedKey, at=START, horizon=None) -> Generation:
    """A generation of these keys."""
    live = tuple(key for key in keys if isinstance(key, Key))
    ended_keys = tuple(key for key in keys if isinstance(key, EndedKey))
    return Generation(1, "", "", "", at, Keyset(live, ended_keys, horizon))


LATER = START + HOUR
NEW = Key(B, arn(B), State.STANDBY, 60, START)
GRACE = {"state": State.GRACE, "superseded": LATER, "verify_until": LATER + HOUR / 10}
EMPTY, HORIZON = generation(), generation(horizon=START)
ACTIVE, REVOKED = generation(key()), generation(ended())
UNLAWFUL = {
    "a revoked key is live": (REVOKED, ACTIVE, "was revoked and is active"),
    "a retired key is revoked": (
        generation(ended(State.RETIRED)),
        REVOKED,
        "was retired and is revoked",
    ),
    "it ended earlier": (
        REVOKED,
        generation(ended(ended=START - HOUR)),
        "has an earlier end than before",
    ),
    "an active key becomes a standby": (
        ACTIVE,
        generation(key(state=State.STANDBY)),
        "was active and is standby",
    ),
    "a live key is lost": (ACTIVE, EMPTY, "is lost"),
    "an ended key is lost": (REVOKED, EMPTY, "is lost"),
    "a key is unpublished": (ACTIVE, generation(key(published=None)), "is unpublished"),
    "it was published at another time": (
        ACTIVE,
        generation(key(published=LATER)),
        "is unpublished",
    ),
    "another lifetime": (ACTIVE, generation(replace(key(), lifetime=61)), "another lifetime"),
    "another birth": (ACTIVE, generation(replace(key(), created=START)), "a different KMS key"),
    "another KMS key": (
        ACTIVE,
        generation(replace(key(), kms_key_arn=arn(B))),
        "a different KMS key",
    ),
    "time goes backwards": (
        ACTIVE,
        generation(key(), at=START - MAX_CLOCK_DIFFERENCE - timedelta(seconds=1)),
        "time goes backwards",
    ),
    "the horizon falls": (HORIZON, generation(horizon=START - HOUR), "the horizon falls"),
    "the horizon is forgotten": (HORIZON, EMPTY, "the horizon falls"),
    "the horizon is ahead": (
        EMPTY,
        generation(horizon=START + HOUR),
        "the horizon is in the future",
    ),
    "a forgotten key is back": (
        HORIZON,
        generation(replace(NEW, created=START), horizon=START),
        "was forgotten, and is back",
    ),
    "a key of another account": (
        ACTIVE,
        generation(key(), replace(NEW, kms_key_arn="arn:aws:kms:us-east-1:999:key/B")),
        "another account or Region",
    ),
    "a key that is not born yet": (
        EMPTY,
        generation(replace(NEW, created=LATER)),
        "outside the time between its generations",
    ),
    "published in the past": (
        EMPTY,
        generation(replace(NEW, published=START - HOUR)),
        "outside the time between its generations",
    ),
    "ended in the future": (ACTIVE, generation(ended(ended=LATER)), "outside the time"),
    "a short grace": (
        ACTIVE,
        generation(key(**{**GRACE, "verify_until": LATER + timedelta(seconds=59)}), at=LATER),
        "no deployment would compute",
    ),
    "a long grace": (
        ACTIVE,
        generation(key(**{**GRACE, "verify_until": LATER + 24 * HOUR}), at=LATER),
        "no deployment would compute",
    ),
    "a grace without a beginning": (
        ACTIVE,
        generation(key(**{**GRACE, "superseded": None}), at=LATER),
        "without superseded or verify_until",
    ),
    "an active key with an end": (
        ACTIVE,
        generation(key(verify_until=LATER)),
        "has a verify_until",
    ),
}


@pytest.mark.parametrize(("before", "after", "why"), UNLAWFUL.values(), ids=UNLAWFUL)
def test_what_may_not_follow(before, after, why):
    """The violation is described in a sentence."""
    assert why in (find_violation(before, after) or "")


LAWFUL = {
    "clocks differ": (ACTIVE, generation(key(), at=START - MAX_CLOCK_DIFFERENCE)),
    "registered": (ACTIVE, generation(key(), NEW)),
    "superseded": (ACTIVE, generation(key(**GRACE), at=LATER)),
    "forgotten": (REVOKED, generation(horizon=START - HOUR)),
    "ended and forgotten": (ACTIVE, generation(horizon=START - HOUR)),
    "horizon": (HORIZON, generation(horizon=START + MAX_CLOCK_DIFFERENCE)),
}


@pytest.mark.parametrize(("before", "after"), LAWFUL.values(), ids=LAWFUL)
def test_what_may_follow(before, after):
    """Each limit itself is lawful."""
    assert find_violation(before, after) is None
