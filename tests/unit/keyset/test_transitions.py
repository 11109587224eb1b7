"""Every change a keyset can undergo: its effect, its repetition, its refusals."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keyturn.keyset import transitions
from keyturn.keyset.errors import (
    AnotherKeyIsActive,
    AnotherKeyIsStandby,
    CreatedTooLongAgo,
    IllegalTransition,
    TooEarly,
    TooLate,
    UnknownKid,
)
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import Event, State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG_AGO, LATER = NOW - timedelta(days=1), NOW + timedelta(hours=1)
SECOND, TICK = timedelta(seconds=1), timedelta(microseconds=1)
A, S, G, R, V, N = (letter * 43 for letter in "asgrvn")


def arn(kid: str) -> str:
    """The KMS key behind a kid."""
    return f"arn:aws:kms:eu-west-1:123456789012:key/{kid[0]}"


ACTIVE = Key(A, arn(A), State.ACTIVE, 900, LONG_AGO, LONG_AGO, activated=LONG_AGO)
STANDBY = Key(S, arn(S), State.STANDBY, 1200, LONG_AGO, LONG_AGO)
UNPUBLISHED = replace(STANDBY, published=None)
GRACE = Key(G, arn(G), State.GRACE, 600, LONG_AGO, LONG_AGO, LONG_AGO, NOW, NOW + 700 * SECOND)
RETIRED = EndedKey(R, arn(R), State.RETIRED, LONG_AGO, NOW)
REVOKED = EndedKey(V, arn(V), State.REVOKED, LONG_AGO, NOW)
FULL = Keyset((ACTIVE, STANDBY, GRACE), (RETIRED, REVOKED))


def keyset(*keys: Key) -> Keyset:
    """These live keys beside the ended ones."""
    return Keyset(keys, FULL.ended)


@pytest.fixture
def do(times, limits):
    """Make the transition of that name, where a test does not say otherwise with these arguments."""
    new = {"kms_key_arn": arn(N), "created": NOW, "lifetime": 3600}
    arguments = {
        "register": {"kid": N, "now": NOW, "limits": limits, **new},
        "publish": {"kids": [S], "now": NOW},
        "activate": {"kid": S, "now": NOW, "times": times, "supersede": A, "limits": limits},
        "roll_back": {"kid": G, "now": NOW, "times": times, "supersede": A},
        "retire": {"kid": G, "now": LATER, "times": times, "limits": limits},
        "revoke": {"kids": [A], "now": NOW, "times": times, "limits": limits},
    }

    def do(step, keys=FULL, **changes):
        return getattr(transitions, step)(keys, **{**arguments[step], **changes})

    return do


@pytest.fixture
def refused(do):
    """The refusal of a transition, whose message has each of `names`."""

    def refused(error, names, step, *keys, **changes):
        with pytest.raises(error) as caught:
            do(step, *keys, **changes)
        assert all(name in str(caught.value) for name in names)
        return caught.value

    return refused


@pytest.mark.parametrize(
    ("step", "keys"),
    [
        ("register", keyset(ACTIVE, GRACE)),
        ("publish", keyset(ACTIVE, UNPUBLISHED)),
        *((step, FULL) for step in ("activate", "roll_back", "retire", "revoke")),
    ],
)
def test_a_repeated_change_changes_nothing(do, step, keys):
    """A duplicate, later, gets the keyset as it is: no instant moves and no wait starts again."""
    once = do(step, keys)
    assert once != keys
    assert do(step, once, now=LATER + SECOND) == once


@pytest.mark.parametrize("kid", [A, S, G])
def test_a_registered_key_keeps_its_state_and_lifetime(do, kid):
    """Registering a live key again neither moves it nor stamps another lifetime."""
    assert do("register", FULL, kid=kid, lifetime=1) == FULL


def test_register_adds_a_standby(do):
    """A new key is the standby, unpublished, with its own lifetime and its creation rounded up."""
    after = do("register", keyset(ACTIVE, GRACE), created=NOW - TICK, lifetime=77)
    assert after == keyset(ACTIVE, GRACE, Key(N, arn(N), State.STANDBY, 77, NOW))


def test_register_keeps_one_standby(refused):
    """A second standby is refused, naming the first."""
    error = refused(AnotherKeyIsStandby, [f"key {S} is already the standby"], "register")
    assert error.standby == S


def test_register_refuses_an_old_key(do, refused, limits):
    """A key is registered up to the claim age exactly, and no moment later."""
    keys, oldest = keyset(ACTIVE), NOW - limits.registration_age
    assert do("register", keys, created=oldest).standby.kid == N
    sentence = f"key {N} was created at {(oldest - TICK).isoformat()}: too long ago to register"
    refused(CreatedTooLongAgo, [sentence], "register", keys, created=oldest - TICK)


def test_publish_stamps_the_named_keys_only(do):
    """Named live keys are stamped, rounded up, and keep their state; no other key changes."""
    bare = [replace(key, published=None) for key in FULL.keys]
    after = do("publish", keyset(*bare), kids=[A, G], now=NOW - TICK)
    assert after.keys == (
        replace(ACTIVE, published=NOW),
        UNPUBLISHED,
        replace(GRACE, published=NOW),
    )


def test_publish_passes_over_what_is_gone(do):
    """Kids that ended or never were are no reason not to note the others."""
    keys = keyset(ACTIVE, UNPUBLISHED)
    assert do("publish", keys, kids=[R, V, N, S]) == keyset(ACTIVE, replace(STANDBY, published=NOW))


def test_publish_takes_any_iterable(do):
    """Kids may come from an iterator."""
    keys = keyset(ACTIVE, UNPUBLISHED)
    assert do("publish", keys, kids=iter([S])).standby.published == NOW


def test_activate_supersedes_the_named_key(do):
    """The standby signs from now on; the old key verifies for its own lifetime and the margins."""
    assert do("activate", now=NOW - TICK) == keyset(
        replace(ACTIVE, state=State.GRACE, superseded=NOW, verify_until=NOW + 1000 * SECOND),
        replace(STANDBY, state=State.ACTIVE, activated=NOW),
        GRACE,
    )


def test_activate_waits_strictly_longer_than_the_publication_wait(do, refused):
    """At published + 7,530 s a cache may still be fresh; a second later it is not."""
    ready = NOW + timedelta(seconds=7530)
    keys = keyset(ACTIVE, replace(STANDBY, published=NOW))
    sentence = f"key {S} may sign only after {ready.isoformat()}"
    assert refused(TooEarly, [sentence], "activate", keys, now=ready).until == ready
    assert do("activate", keys, now=ready + SECOND).active.kid == S


def test_activate_refuses_an_unpublished_key_while_another_signs(refused):
    """A key that no verifier can know is refused, from a whole publication wait away."""
    keys = keyset(ACTIVE, UNPUBLISHED)
    error = refused(TooEarly, [S], "activate", keys)
    assert error.until == NOW + timedelta(seconds=7530)


@pytest.mark.parametrize("published", [None, NOW], ids=["unpublished", "just published"])
def test_activate_is_immediate_when_nobody_signs(do, published):
    """A keyset without an active key does not wait."""
    keys = keyset(replace(STANDBY, published=published), GRACE)
    after = do("activate", keys, supersede=None)
    assert after.active == replace(STANDBY, state=State.ACTIVE, published=published, activated=NOW)
    assert after.grace == (GRACE,)


def test_activate_does_not_undo_a_rollback(do, refused):
    """After a rollback the repeated activation meets a grace key, and is refused."""
    activated = do("activate")
    rolled_back = do("roll_back", activated, kid=A, supersede=S)
    refused(IllegalTransition, [S, "grace"], "activate", rolled_back, supersede=A)


@pytest.mark.parametrize("step", ["activate", "roll_back"])
@pytest.mark.parametrize(
    ("keys", "supersede", "named"),
    [
        (FULL, G, (G, A)),
        (FULL, None, ("none", A)),
        (keyset(STANDBY, GRACE), A, (A, "none")),
    ],
    ids=["another", "nobody expected", "nobody active"],
)
def test_the_superseded_key_is_named(refused, step, keys, supersede, named):
    """A caller that meant to supersede another key is refused; the error names both."""
    refused(AnotherKeyIsActive, named, step, keys, supersede=supersede)


def test_roll_back_makes_the_grace_key_sign_again(do):
    """The grace key signs and has no end any more; the other one gets its own."""
    assert do("roll_back", now=NOW - TICK) == keyset(
        replace(ACTIVE, state=State.GRACE, superseded=NOW, verify_until=NOW + 1000 * SECOND),
        STANDBY,
        replace(GRACE, state=State.ACTIVE, activated=NOW, superseded=None, verify_until=None),
    )


def test_roll_back_works_without_an_active_key(do):
    """A keyset that lost its signer can go back to a grace key."""
    assert do("roll_back", keyset(GRACE), supersede=None).active.kid == G


def test_roll_back_ends_strictly_before_a_verifier_may_forget(do, refused):
    """At verify_until - 60 s it is too late; a second earlier it is not."""
    assert GRACE.verify_until
    limit = GRACE.verify_until - 60 * SECOND
    sentence = f"key {G} can be rolled back only before {limit.isoformat()}"
    assert refused(TooLate, [sentence], "roll_back", now=limit).until == limit
    assert do("roll_back", now=limit - SECOND).active.kid == G


def test_retire_ends_a_grace_key(do):
    """A retired key is no live key any more, and is remembered from now on, rounded up."""
    after = do("retire", now=LATER - TICK)
    assert after.keys == (ACTIVE, STANDBY)
    assert after.ended == (*FULL.ended, EndedKey(G, arn(G), State.RETIRED, LONG_AGO, LATER))


def test_retire_waits_strictly_longer_than_verify_until_and_skew(do, refused):
    """At verify_until + 10 s a slow clock may still verify; a second later none does."""
    assert GRACE.verify_until
    ready = GRACE.verify_until + 10 * SECOND
    sentence = f"key {G} may retire only after {ready.isoformat()}"
    assert refused(TooEarly, [sentence], "retire", now=ready).until == ready
    assert do("retire", now=ready + SECOND).get(G).state is State.RETIRED


@pytest.mark.parametrize(
    ("step", "kid", "state"),
    [
        ("activate", G, "grace"),
        ("roll_back", S, "standby"),
        ("retire", S, "standby"),
        ("retire", A, "active"),
        ("retire", V, "revoked"),
    ],
)
def test_a_live_key_takes_only_its_own_ways(refused, step, kid, state):
    """What the table has no entry for is refused, naming the key and its state."""
    refused(IllegalTransition, [kid, state], step, kid=kid)


def test_may_i_comes_before_is_it_time(refused):
    """A grace key that would also be too early to activate is told that it never can be."""
    keys = keyset(ACTIVE, replace(GRACE, published=NOW))
    refused(IllegalTransition, [G, "grace"], "activate", keys, kid=G)


@pytest.mark.parametrize("step", ["activate", "roll_back", "retire"])
def test_an_unknown_kid_is_refused(refused, step):
    """A kid that the keyset has forgotten, or never had, is refused by name."""
    refused(UnknownKid, [N], step, kid=N)


@pytest.mark.parametrize(("kid", "left"), [(S, (ACTIVE, GRACE)), (G, (ACTIVE, STANDBY))])
def test_revoke_ends_a_key_at_once(do, kid, left):
    """A revoked standby or grace key is gone, and the active key signs on."""
    after = do("revoke", kids=[kid], now=NOW - TICK)
    assert after == Keyset(
        left, (*FULL.ended, EndedKey(kid, arn(kid), State.REVOKED, LONG_AGO, NOW))
    )


@pytest.mark.parametrize("published", [LONG_AGO, NOW, None], ids=["known", "too early", "unknown"])
def test_revoking_the_active_key_activates_the_standby(do, published):
    """In the same change, and without any wait, the standby takes its place."""
    standby = replace(STANDBY, published=published)
    after = do("revoke", keyset(ACTIVE, standby, GRACE), now=NOW - TICK)
    assert after.keys == (replace(standby, state=State.ACTIVE, activated=NOW), GRACE)
    assert after.get(A) == EndedKey(A, arn(A), State.REVOKED, LONG_AGO, NOW)


@pytest.mark.parametrize("kids", [[A, S], [S, A], [A, S, G]])
def test_revoking_active_and_standby_leaves_no_signer(do, kids):
    """A compromised standby is not activated; nobody signs."""
    after = do("revoke", kids=kids)
    assert (after.active, after.standby) == (None, None)
    assert {after.get(kid).state for kid in kids} == {State.REVOKED}


def test_revoking_the_active_key_without_a_standby_leaves_no_signer(do):
    """Signing with a compromised key is not the alternative."""
    assert do("revoke", keyset(ACTIVE, GRACE)).keys == (GRACE,)


def test_revoke_passes_over_what_has_ended(do, limits):
    """A retry that names ended keys never touches the key that was activated meanwhile."""
    after = do("revoke")
    assert do("revoke", after, kids=[A, R, V], now=NOW + 2 * limits.ended_age) == after
    assert do("revoke", after, kids=[A, G]).get(G).state is State.REVOKED


def test_revoke_refuses_an_unknown_kid(refused):
    """A kid that never was is a typing error: nothing is revoked."""
    refused(UnknownKid, [N], "revoke", kids=[G, N])


def test_revoke_takes_a_kid_twice(do):
    """Naming a key twice revokes it once."""
    assert do("revoke", kids=[A, A]) == do("revoke", kids=[A])


ATTEMPTS = {
    Event.PUBLISH: ("publish", "kids"),
    Event.ACTIVATE: ("activate", "kid"),
    Event.SUPERSEDE: ("activate", "supersede"),
    Event.ROLL_BACK: ("roll_back", "kid"),
    Event.RETIRE: ("retire", "kid"),
    Event.REVOKE: ("revoke", "kids"),
    "register": ("register", "kid"),
}
PASSED_OVER = {(event, kid) for event in (Event.PUBLISH, Event.REVOKE) for kid in (R, V)}


def test_every_event_is_attempted():
    """The attempts on ended keys cover the whole alphabet."""
    assert ATTEMPTS.keys() == {*Event, "register"}


@pytest.mark.parametrize("event", ATTEMPTS)
@pytest.mark.parametrize("kid", [R, V], ids=["retired", "revoked"])
def test_ended_keys_stay_ended(do, refused, event, kid):
    """Retired and revoked are absorbing: an event is refused by name or changes nothing."""
    step, argument = ATTEMPTS[event]
    changes = {argument: [kid] if argument == "kids" else kid}
    if (event, kid) in PASSED_OVER | {(Event.RETIRE, R)}:
        assert do(step, **changes) == FULL
    else:
        error = AnotherKeyIsActive if event is Event.SUPERSEDE else IllegalTransition
        refused(error, [kid], step, **changes)
