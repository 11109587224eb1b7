"""The transitions of a key from its creation to its retirement: effect, repetition, conditions."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from keyturn.keyset.errors import (
    AnotherKeyIsActive,
    AnotherKeyIsStandby,
    CreatedTooLongAgo,
    IllegalTransition,
    TooEarly,
    TooLate,
)
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import State
from tests.unit.keyset.steps import (
    ACTIVE,
    FULL,
    GRACE,
    GRACE_END,
    LATER,
    LIMITS,
    LONG_AGO,
    NOW,
    SECOND,
    STANDBY,
    TICK,
    UNPUBLISHED,
    A,
    G,
    N,
    R,
    S,
    V,
    activate,
    arn,
    keyset,
    publish,
    register,
    retire,
    revoke,
    roll_back,
)
from tests.unit.stage import active_key, standby_key


@pytest.mark.parametrize(
    ("keys", "step", "now"),
    [
        (keyset(ACTIVE, GRACE), partial(register, kid=N), NOW),
        (keyset(ACTIVE, UNPUBLISHED), partial(publish, kids=[S]), NOW),
        (FULL, partial(activate, kid=S, supersede=A), NOW),
        (FULL, partial(roll_back, kid=G, supersede=A), NOW),
        (FULL, partial(retire, kid=G), LATER),
        (FULL, partial(revoke, kids=[A]), NOW),
    ],
    ids=["register", "publish", "activate", "roll_back", "retire", "revoke"],
)
def test_a_repeated_change_changes_nothing(keys, step, now):
    """A later duplicate gets the same keyset: no instant moves and no wait starts again."""
    once = step(keys, now=now)
    assert once != keys
    assert step(once, now=LATER + SECOND) == once


@pytest.mark.parametrize("kid", [A, S, G])
def test_a_registered_key_keeps_its_state_and_lifetime(kid):
    """Registering a live key again neither moves it nor changes its lifetime."""
    assert register(FULL, kid, NOW, lifetime=1) == FULL


def test_register_adds_a_standby():
    """A new key is the standby, unpublished, with its own lifetime and its creation rounded up."""
    registered = register(keyset(ACTIVE, GRACE), N, NOW, created=NOW - TICK, lifetime=77)
    assert registered == keyset(ACTIVE, GRACE, Key(N, arn(N), State.STANDBY, 77, NOW))


def test_register_keeps_one_standby():
    """A second standby is refused; the error names the first."""
    with pytest.raises(AnotherKeyIsStandby, match=f"key {S} is already the standby") as refused:
        register(FULL, N, NOW)
    assert refused.value.standby == S


def test_register_refuses_an_old_key():
    """A key can be registered up to the maximum age exactly, and no moment later."""
    oldest = NOW - LIMITS.registration_age
    assert standby_key(register(keyset(ACTIVE), N, NOW, created=oldest)).kid == N
    message = f"key {N} was created at {(oldest - TICK).isoformat()}: too long ago to register"
    with pytest.raises(CreatedTooLongAgo) as refused:
        register(keyset(ACTIVE), N, NOW, created=oldest - TICK)
    assert message in str(refused.value)


def test_publish_stamps_the_named_keys_only():
    """The named live keys get the instant, rounded up, and keep their state; no other key changes."""
    unpublished = [replace(key, published=None) for key in FULL.keys]
    assert publish(keyset(*unpublished), [A, G], NOW - TICK).keys == (
        replace(ACTIVE, published=NOW),
        UNPUBLISHED,
        replace(GRACE, published=NOW),
    )


def test_publish_ignores_unknown_and_ended_keys():
    """Kids that ended or never existed do not prevent the others from being published."""
    published = publish(keyset(ACTIVE, UNPUBLISHED), iter([R, V, N, S]), NOW)
    assert published == keyset(ACTIVE, replace(STANDBY, published=NOW))


def test_activate_supersedes_the_named_key():
    """The standby becomes active; the superseded key verifies for its own lifetime and the margins."""
    assert activate(FULL, S, NOW - TICK, supersede=A) == keyset(
        replace(ACTIVE, state=State.GRACE, superseded=NOW, verify_until=NOW + 1000 * SECOND),
        replace(STANDBY, state=State.ACTIVE, activated=NOW),
        GRACE,
    )


def test_activate_waits_strictly_longer_than_the_publication_wait():
    """At published + 7,530 s a cache may still be fresh; a second later it is not."""
    ready = NOW + timedelta(seconds=7530)
    keys = keyset(ACTIVE, replace(STANDBY, published=NOW))
    with pytest.raises(TooEarly) as refused:
        activate(keys, S, ready, supersede=A)
    assert f"key {S} may sign only after {ready.isoformat()}" in str(refused.value)
    assert refused.value.until == ready
    assert active_key(activate(keys, S, ready + SECOND, supersede=A)).kid == S


def test_activate_refuses_an_unpublished_key_while_another_signs():
    """A key that no verifier can know is refused, for at least a whole publication wait."""
    with pytest.raises(TooEarly, match=S) as refused:
        activate(keyset(ACTIVE, UNPUBLISHED), S, NOW, supersede=A)
    assert refused.value.until == NOW + timedelta(seconds=7530)


@pytest.mark.parametrize("published", [None, NOW], ids=["unpublished", "just published"])
def test_activate_is_immediate_without_an_active_key(published):
    """If no key is active, the standby does not wait."""
    standby = replace(STANDBY, published=published)
    activated = activate(keyset(standby, GRACE), S, NOW, supersede=None)
    assert activated == keyset(replace(standby, state=State.ACTIVE, activated=NOW), GRACE)


def test_activate_does_not_undo_a_rollback():
    """After a rollback the key is in grace, so the repeated activation is refused."""
    activated = activate(FULL, S, NOW, supersede=A)
    rolled_back = roll_back(activated, A, NOW, supersede=S)
    with pytest.raises(IllegalTransition, match=f"{S} is grace"):
        activate(rolled_back, S, NOW, supersede=A)


@pytest.mark.parametrize(
    "step", [partial(activate, kid=S), partial(roll_back, kid=G)], ids=["activate", "roll_back"]
)
@pytest.mark.parametrize(
    ("keys", "supersede", "message"),
    [
        (FULL, G, f"the key to supersede was {G}, but {A} is active"),
        (FULL, None, f"the key to supersede was none, but {A} is active"),
        (keyset(STANDBY, GRACE), A, f"the key to supersede was {A}, but none is active"),
    ],
    ids=["another key", "no key expected", "no key active"],
)
def test_the_key_to_supersede_must_be_active(step, keys, supersede, message):
    """A caller that meant to supersede another key is refused; the error names both."""
    with pytest.raises(AnotherKeyIsActive) as refused:
        step(keys, now=NOW, supersede=supersede)
    assert str(refused.value) == message


def test_roll_back_makes_the_grace_key_sign_again():
    """The grace key is active without an end; the key that it supersedes gets its own."""
    assert roll_back(FULL, G, NOW - TICK, supersede=A) == keyset(
        replace(ACTIVE, state=State.GRACE, superseded=NOW, verify_until=NOW + 1000 * SECOND),
        STANDBY,
        replace(GRACE, state=State.ACTIVE, activated=NOW, superseded=None, verify_until=None),
    )


def test_roll_back_works_without_an_active_key():
    """A keyset that lost its active key can go back to a grace key."""
    assert active_key(roll_back(keyset(GRACE), G, NOW, supersede=None)).kid == G


def test_roll_back_ends_strictly_before_a_verifier_may_forget():
    """At verify_until - 60 s it is too late; a second earlier it is not."""
    limit = GRACE_END - 60 * SECOND
    with pytest.raises(TooLate) as refused:
        roll_back(FULL, G, limit, supersede=A)
    assert f"key {G} can be rolled back only before {limit.isoformat()}" in str(refused.value)
    assert refused.value.until == limit
    assert active_key(roll_back(FULL, G, limit - SECOND, supersede=A)).kid == G


def test_retire_ends_a_grace_key():
    """A retired key is not a live key any more; its end is listed, rounded up."""
    ended = EndedKey(G, arn(G), State.RETIRED, LONG_AGO, LATER)
    assert retire(FULL, G, LATER - TICK) == Keyset((ACTIVE, STANDBY), (*FULL.ended, ended))


def test_retire_waits_strictly_longer_than_verify_until_and_skew():
    """At verify_until + 10 s a slow clock may still verify; a second later none does."""
    ready = GRACE_END + 10 * SECOND
    with pytest.raises(TooEarly) as refused:
        retire(FULL, G, ready)
    assert f"key {G} may retire only after {ready.isoformat()}" in str(refused.value)
    assert refused.value.until == ready
    assert retire(FULL, G, ready + SECOND).get(G).state is State.RETIRED
