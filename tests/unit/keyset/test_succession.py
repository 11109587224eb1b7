"""May this generation follow that one? Every transition of ours may, and nothing that undoes one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from keyturn.keyset import transitions
from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.states import State
from keyturn.keyset.succession import find_violation
from keyturn.keyset.timing import MAX_CLOCK_DIFFERENCE

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ARN = "arn:aws:kms:us-east-1:123456789012:key/"
A, B, C = (letter * 43 for letter in "ABC")
HOUR = timedelta(hours=1)


@pytest.fixture
def life(times, limits):
    """The generations of two rotations, a rollback and a revocation, an hour apart."""
    steps = [
        lambda k, now: transitions.register(
            k, A, ARN + "A", now, created=now, lifetime=60, limits=limits
        ),
        lambda k, now: transitions.publish(k, [A], now),
        lambda k, now: transitions.activate(k, A, now, supersede=None, times=times, limits=limits),
        lambda k, now: transitions.register(
            k, B, ARN + "B", now, created=now, lifetime=60, limits=limits
        ),
        lambda k, now: transitions.publish(k, [A, B], now),
        lambda k, now: transitions.activate(
            k, B, now + 9 * HOUR, supersede=A, times=times, limits=limits
        ),
        lambda k, now: transitions.roll_back(k, A, now + 9 * HOUR - HOUR, supersede=B, times=times),
        lambda k, now: transitions.register(
            k, C, ARN + "C", now + 8 * HOUR, created=now + 8 * HOUR, lifetime=60, limits=limits
        ),
        lambda k, now: transitions.revoke(k, [A], now + 8 * HOUR, times=times, limits=limits),
    ]
    keyset, generations = Keyset(), [Generation(1, "", "", "", START, Keyset())]
    for number, step in enumerate(steps, start=1):
        keyset = step(keyset, START + number * HOUR)
        at = START + (number + (9 if number == 6 else 8 if number > 6 else 0)) * HOUR
        generations.append(Generation(number + 1, "", "", "", at, keyset))
    return generations


def test_every_transition_may_follow(life):
    """And so may many at once: the rule is transitive."""
    for before, after in combinations(life, 2):
        assert find_violation(before, after) is None


def test_nothing_may_be_undone(life):
    """No earlier keyset follows a later one, except where nothing of a key is told."""
    for before, after in combinations(life, 2):
        undone = replace(before, at=after.at)
        if not (before.keyset.keys == () and after.keyset.keys == ()):
            assert find_violation(after, undone), (after.number, undone.number)


def key(**changes) -> Key:
    """The active key of the keysets below."""
    members = {"published": START, "activated": START, **changes}
    state = members.pop("state", State.ACTIVE)
    return Key(A, ARN + "A", state, 60, START - HOUR, **members)


def ended(state=State.REVOKED, **changes) -> EndedKey:
    """The same, ended."""
    return replace(EndedKey(A, ARN + "A", state, START - HOUR, START), **changes)


def generation(*keys: Key | EndedKey, at=START, horizon=None) -> Generation:
    """A generation of these keys."""
    live = tuple(one for one in keys if isinstance(one, Key))
    dead = tuple(one for one in keys if isinstance(one, EndedKey))
    return Generation(1, "", "", "", at, Keyset(live, dead, horizon))


LATER = START + HOUR
NEW = Key(B, ARN + "B", State.STANDBY, 60, START)
GRACE = {"state": State.GRACE, "superseded": LATER, "verify_until": LATER + HOUR / 10}
UNLAWFUL = {
    "a revoked key is live": (generation(ended()), generation(key()), "was revoked and is active"),
    "a retired key is revoked": (
        generation(ended(State.RETIRED)),
        generation(ended()),
        "was retired and is revoked",
    ),
    "it ended earlier": (
        generation(ended()),
        generation(ended(ended=START - HOUR)),
        "has an earlier end than before",
    ),
    "an active key stands by": (
        generation(key()),
        generation(key(state=State.STANDBY)),
        "was active and is standby",
    ),
    "a live key is lost": (generation(key()), generation(), "is lost"),
    "an ended key is lost": (generation(ended()), generation(), "is lost"),
    "a key is unpublished": (
        generation(key()),
        generation(key(published=None)),
        "is unpublished",
    ),
    "it was published at another time": (
        generation(key()),
        generation(key(published=LATER)),
        "is unpublished",
    ),
    "another lifetime": (
        generation(key()),
        generation(replace(key(), lifetime=61)),
        "another lifetime",
    ),
    "another birth": (
        generation(key()),
        generation(replace(key(), created=START)),
        "a different KMS key",
    ),
    "another KMS key": (
        generation(key()),
        generation(replace(key(), kms_key_arn=ARN + "B")),
        "a different KMS key",
    ),
    "time goes backwards": (
        generation(key()),
        generation(key(), at=START - MAX_CLOCK_DIFFERENCE - timedelta(seconds=1)),
        "time goes backwards",
    ),
    "the horizon falls": (
        generation(horizon=START),
        generation(horizon=START - HOUR),
        "the horizon falls",
    ),
    "the horizon is forgotten": (generation(horizon=START), generation(), "the horizon falls"),
    "the horizon is ahead": (
        generation(),
        generation(horizon=START + HOUR),
        "the horizon is in the future",
    ),
    "a forgotten key is back": (
        generation(horizon=START),
        generation(replace(NEW, created=START), horizon=START),
        "was forgotten, and is back",
    ),
    "a key of another account": (
        generation(key()),
        generation(key(), replace(NEW, kms_key_arn="arn:aws:kms:us-east-1:999:key/B")),
        "another account or Region",
    ),
    "a key that is not born yet": (
        generation(),
        generation(replace(NEW, created=LATER)),
        "outside the time between its generations",
    ),
    "published in the past": (
        generation(),
        generation(replace(NEW, published=START - HOUR)),
        "outside the time between its generations",
    ),
    "ended in the future": (generation(key()), generation(ended(ended=LATER)), "outside the time"),
    "a short grace": (
        generation(key()),
        generation(key(**{**GRACE, "verify_until": LATER + timedelta(seconds=59)}), at=LATER),
        "no deployment would compute",
    ),
    "a long grace": (
        generation(key()),
        generation(key(**{**GRACE, "verify_until": LATER + 24 * HOUR}), at=LATER),
        "no deployment would compute",
    ),
    "a grace without a beginning": (
        generation(key()),
        generation(key(**{**GRACE, "superseded": None}), at=LATER),
        "without superseded or verify_until",
    ),
    "an active key with an end": (
        generation(key()),
        generation(key(verify_until=LATER)),
        "has a verify_until",
    ),
}


@pytest.mark.parametrize(("before", "after", "why"), UNLAWFUL.values(), ids=UNLAWFUL)
def test_what_does_not_follow_is_said(before, after, why):
    """As a sentence that names the key."""
    assert why in (find_violation(before, after) or "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (generation(key()), generation(key(), at=START - MAX_CLOCK_DIFFERENCE)),
        (generation(key()), generation(key(), NEW)),
        (generation(key()), generation(key(**GRACE), at=LATER)),
        (generation(ended()), generation(horizon=START - HOUR)),
        (generation(key()), generation(horizon=START - HOUR)),
        (generation(horizon=START), generation(horizon=START + MAX_CLOCK_DIFFERENCE)),
    ],
    ids=[
        "clocks differ",
        "registered",
        "superseded",
        "forgotten",
        "ended and forgotten",
        "horizon",
    ],
)
def test_what_follows(before, after):
    """Up to each limit."""
    assert find_violation(before, after) is None
