"""Every change a keyset can undergo: its effect, its repetition, its refusals."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keyturn.keyset import timing, transitions
from keyturn.keyset.errors import (
    AnotherKeyIsActive,
    AnotherKeyIsStandby,
    CreatedTooLongAgo,
    IllegalTransition,
    Refused,
    TooEarly,
    TooLate,
    UnknownKid,
)
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import Event, State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=1)
SECOND, TICK = timedelta(seconds=1), timedelta(microseconds=1)
A, S, G, R, V, N = (letter * 43 for letter in "asgrvn")


def arn(kid: str) -> str:
    """The KMS key behind a kid."""
    return f"arn:aws:kms:eu-west-1:123456789012:key/{kid[0]}"


ACTIVE = Key(A, arn(A), State.ACTIVE, 900, LONG_AGO, LONG_AGO, activated=LONG_AGO)
STANDBY = Key(S, arn(S), State.STANDBY, 1200, LONG_AGO, LONG_AGO)
GRACE = Key(G, arn(G), State.GRACE, 600, LONG_AGO, LONG_AGO, LONG_AGO, NOW, NOW + 700 * SECOND)
RETIRED = EndedKey(R, arn(R), State.RETIRED, NOW)
REVOKED = EndedKey(V, arn(V), State.REVOKED, NOW)
FULL = Keyset((ACTIVE, STANDBY, GRACE), (RETIRED, REVOKED))


def keyset(*keys: Key) -> Keyset:
    """These live keys beside the ended ones."""
    return Keyset(keys, FULL.ended)


@pytest.fixture
def do(times, ages):
    """The transitions, with the default settings where a test does not say otherwise."""

    class Do:
        def register(self, keys=FULL, kid=N, now=NOW, created=NOW, lifetime=3600):
            return transitions.register(
                keys, kid, arn(kid), now, created=created, lifetime=lifetime, ages=ages
            )

        def publish(self, keys=FULL, kids=(S,), now=NOW):
            return transitions.publish(keys, kids, now)

        def activate(self, keys=FULL, kid=S, now=NOW, supersede=A):
            return transitions.activate(keys, kid, now, supersede=supersede, times=times)

        def roll_back(self, keys=FULL, kid=G, now=NOW, supersede=A):
            return transitions.roll_back(keys, kid, now, supersede=supersede, times=times)

        def retire(self, keys=FULL, kid=G, now=NOW + timedelta(hours=1)):
            return transitions.retire(keys, kid, now, times=times, ages=ages)

        def revoke(self, keys=FULL, kids=(A,), now=NOW):
            return transitions.revoke(keys, kids, now, times=times, ages=ages)

    return Do()


def refusal(error: type[Refused], change, *kids: str) -> Refused:
    """The refusal of `change`, which names each of `kids`."""
    with pytest.raises(error) as refused:
        change()
    assert all(kid in str(refused.value) for kid in kids)
    return refused.value


def test_register_adds_a_standby(do):
    """A new key is the standby, unpublished, with its own lifetime and its creation rounded up."""
    after = do.register(keyset(ACTIVE, GRACE), created=NOW - TICK, lifetime=77)
    assert after == keyset(ACTIVE, GRACE, Key(N, arn(N), State.STANDBY, 77, NOW))


@pytest.mark.parametrize("kid", [A, S, G])
def test_register_again_changes_nothing(do, kid):
    """A live key that is registered again keeps its state and its lifetime."""
    assert do.register(kid=kid, lifetime=1) == FULL


def test_register_keeps_one_standby(do):
    """A second standby is refused, naming the first."""
    refusal(AnotherKeyIsStandby, do.register, S)


def test_register_refuses_an_old_key(do, ages):
    """A key is registered up to the claim age exactly, and no moment later."""
    keys = keyset(ACTIVE)
    assert do.register(keys, created=NOW - ages.claim).standby.kid == N
    refusal(CreatedTooLongAgo, lambda: do.register(keys, created=NOW - ages.claim - TICK), N)


def test_publish_stamps_the_named_keys_only(do):
    """Named live keys are stamped, rounded up, and keep their state; no other key changes."""
    bare = [replace(key, published=None) for key in FULL.keys]
    after = do.publish(keyset(*bare), kids=[A, G], now=NOW - TICK)
    assert after == keyset(
        replace(ACTIVE, published=NOW),
        replace(STANDBY, published=None),
        replace(GRACE, published=NOW),
    )


def test_publish_again_keeps_the_first_instant(do):
    """A key's publication never moves, so its wait never starts again."""
    assert do.publish(kids=[A, S, G], now=NOW + SECOND) == FULL


def test_publish_passes_over_what_is_gone(do):
    """Kids that ended or never were are no reason not to note the others."""
    keys = keyset(ACTIVE, replace(STANDBY, published=None))
    assert do.publish(keys, kids=[R, V, N, S]) == keyset(ACTIVE, replace(STANDBY, published=NOW))


@pytest.mark.xfail(raises=AssertionError, reason="an iterator is used up by the first key")
def test_publish_takes_any_iterable(do):
    """Kids may come from an iterator."""
    keys = keyset(ACTIVE, replace(STANDBY, published=None))
    assert do.publish(keys, kids=iter([S])).standby.published == NOW


def test_activate_supersedes_the_named_key(do):
    """The standby signs from now on; the old key verifies for its own lifetime and the margins."""
    assert do.activate(now=NOW - TICK) == keyset(
        replace(ACTIVE, state=State.GRACE, superseded=NOW, verify_until=NOW + 1000 * SECOND),
        replace(STANDBY, state=State.ACTIVE, activated=NOW),
        GRACE,
    )


def test_activate_again_changes_nothing(do):
    """A repeated activation is a no-op, whatever else it thinks."""
    after = do.activate()
    assert do.activate(after, now=NOW + SECOND) == after


def test_activate_waits_strictly_longer_than_the_publication_wait(do):
    """At published + 7,530 s a cache may still be fresh; a second later it is not."""
    ready = NOW + timedelta(seconds=7530)
    keys = keyset(ACTIVE, replace(STANDBY, published=NOW))
    assert refusal(TooEarly, lambda: do.activate(keys, now=ready), S).until == ready
    assert do.activate(keys, now=timing.wake_after(ready)).active.kid == S


def test_activate_refuses_an_unpublished_key_while_another_signs(do):
    """A key that no verifier can know is refused, from a whole publication wait away."""
    keys = keyset(ACTIVE, replace(STANDBY, published=None))
    error = refusal(TooEarly, lambda: do.activate(keys), S)
    assert error.until == NOW + timedelta(seconds=7530)


@pytest.mark.parametrize("published", [None, NOW], ids=["unpublished", "just published"])
def test_activate_is_immediate_when_nobody_signs(do, published):
    """A keyset without an active key does not wait."""
    keys = keyset(replace(STANDBY, published=published), GRACE)
    after = do.activate(keys, supersede=None)
    assert after.active == replace(STANDBY, state=State.ACTIVE, published=published, activated=NOW)
    assert after.grace == (GRACE,)


def test_activate_does_not_undo_a_rollback(do):
    """After a rollback the repeated activation meets a grace key, and is refused."""
    activated = do.activate()
    rolled_back = do.roll_back(activated, kid=A, supersede=S)
    refusal(IllegalTransition, lambda: do.activate(rolled_back, supersede=A), S, "grace")


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
def test_the_superseded_key_is_named(do, step, keys, supersede, named):
    """A caller that meant to supersede another key is refused; the error names both."""
    refusal(AnotherKeyIsActive, lambda: getattr(do, step)(keys, supersede=supersede), *named)


def test_roll_back_makes_the_grace_key_sign_again(do):
    """The grace key signs and has no end any more; the other one gets its own."""
    assert do.roll_back(now=NOW - TICK) == keyset(
        replace(ACTIVE, state=State.GRACE, superseded=NOW, verify_until=NOW + 1000 * SECOND),
        STANDBY,
        replace(GRACE, state=State.ACTIVE, activated=NOW, superseded=None, verify_until=None),
    )


def test_roll_back_works_without_an_active_key(do):
    """A keyset that lost its signer can go back to a grace key."""
    assert do.roll_back(keyset(GRACE), supersede=None).active.kid == G


def test_roll_back_again_changes_nothing(do):
    """A repeated rollback is a no-op."""
    after = do.roll_back()
    assert do.roll_back(after, now=NOW + SECOND) == after


def test_roll_back_ends_strictly_before_a_verifier_may_forget(do):
    """At verify_until - 60 s it is too late; a second earlier it is not."""
    limit = GRACE.verify_until - 60 * SECOND
    assert refusal(TooLate, lambda: do.roll_back(now=limit), G).until == limit
    assert do.roll_back(now=limit - SECOND).active.kid == G


def test_retire_ends_a_grace_key(do):
    """A retired key is no live key any more, and is remembered from now on, rounded up."""
    after = do.retire(now=NOW + timedelta(hours=1) - TICK)
    assert after.keys == (ACTIVE, STANDBY)
    assert after.ended == (
        *FULL.ended,
        EndedKey(G, arn(G), State.RETIRED, NOW + timedelta(hours=1)),
    )


def test_retire_again_changes_nothing(do):
    """A repeated retirement is a no-op and keeps the first instant."""
    assert do.retire(kid=R) == FULL


def test_retire_waits_strictly_longer_than_verify_until_and_skew(do):
    """At verify_until + 10 s a slow clock may still verify; a second later none does."""
    ready = GRACE.verify_until + 10 * SECOND
    assert refusal(TooEarly, lambda: do.retire(now=ready), G).until == ready
    assert do.retire(now=timing.wake_after(ready)).get(G).state is State.RETIRED


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
def test_a_live_key_takes_only_its_own_ways(do, step, kid, state):
    """What the table has no entry for is refused, naming the key and its state."""
    refusal(IllegalTransition, lambda: getattr(do, step)(kid=kid), kid, state)


@pytest.mark.parametrize("step", ["activate", "roll_back", "retire"])
def test_an_unknown_kid_is_refused(do, step):
    """A kid that the keyset has forgotten, or never had, is refused by name."""
    refusal(UnknownKid, lambda: getattr(do, step)(kid=N), N)


@pytest.mark.parametrize(("kid", "left"), [(S, (ACTIVE, GRACE)), (G, (ACTIVE, STANDBY))])
def test_revoke_ends_a_key_at_once(do, kid, left):
    """A revoked standby or grace key is gone, and the active key signs on."""
    after = do.revoke(kids=[kid], now=NOW - TICK)
    assert after == Keyset(left, (*FULL.ended, EndedKey(kid, arn(kid), State.REVOKED, NOW)))


@pytest.mark.parametrize("published", [LONG_AGO, NOW, None], ids=["known", "too early", "unknown"])
def test_revoking_the_active_key_activates_the_standby(do, published):
    """In the same change, and without any wait, the standby takes its place."""
    standby = replace(STANDBY, published=published)
    after = do.revoke(keyset(ACTIVE, standby, GRACE), now=NOW - TICK)
    assert after.keys == (replace(standby, state=State.ACTIVE, activated=NOW), GRACE)
    assert after.get(A) == EndedKey(A, arn(A), State.REVOKED, NOW)


@pytest.mark.parametrize("kids", [[A, S], [S, A], [A, S, G]])
def test_revoking_active_and_standby_leaves_no_signer(do, kids):
    """A compromised standby is not activated; nobody signs."""
    after = do.revoke(kids=kids)
    assert (after.active, after.standby) == (None, None)
    assert {after.get(kid).state for kid in kids} == {State.REVOKED}


def test_revoking_the_active_key_without_a_standby_leaves_no_signer(do):
    """Signing with a compromised key is not the alternative."""
    assert do.revoke(keyset(ACTIVE, GRACE)).keys == (GRACE,)


def test_revoke_passes_over_what_has_ended(do):
    """A retry that names ended keys never touches the key that was activated meanwhile."""
    after = do.revoke()
    assert do.revoke(after, kids=[A, R, V], now=NOW + SECOND) == after
    assert do.revoke(after, kids=[A, G]).get(G).state is State.REVOKED


def test_revoke_refuses_an_unknown_kid(do):
    """A kid that never was is a typing error: nothing is revoked."""
    refusal(UnknownKid, lambda: do.revoke(kids=[G, N]), N)


@pytest.mark.xfail(reason="InvariantBroken: the key is ended twice")
def test_revoke_takes_a_kid_twice(do):
    """Naming a key twice revokes it once."""
    assert do.revoke(kids=[A, A]) == do.revoke(kids=[A])


ATTEMPTS = {
    Event.PUBLISH: lambda do, kid: do.publish(kids=[kid]),
    Event.ACTIVATE: lambda do, kid: do.activate(keyset(GRACE), kid=kid, supersede=None),
    Event.SUPERSEDE: lambda do, kid: do.activate(supersede=kid),
    Event.ROLL_BACK: lambda do, kid: do.roll_back(keyset(STANDBY), kid=kid, supersede=None),
    Event.RETIRE: lambda do, kid: do.retire(kid=kid),
    Event.REVOKE: lambda do, kid: do.revoke(kids=[kid]),
    "register": lambda do, kid: do.register(keyset(ACTIVE), kid=kid),
}
PASSED_OVER = {(Event.PUBLISH, R), (Event.PUBLISH, V), (Event.RETIRE, R)}
PASSED_OVER |= {(Event.REVOKE, R), (Event.REVOKE, V)}


def test_every_event_is_attempted():
    """The attempts on ended keys cover the whole alphabet."""
    assert ATTEMPTS.keys() == {*Event, "register"}


@pytest.mark.parametrize("event", ATTEMPTS)
@pytest.mark.parametrize("ended", [RETIRED, REVOKED], ids=["retired", "revoked"])
def test_ended_keys_stay_ended(do, event, ended):
    """Retired and revoked are absorbing: an event is refused by name or changes nothing."""
    if (event, ended.kid) in PASSED_OVER:
        assert ATTEMPTS[event](do, ended.kid) == FULL
    else:
        error = AnotherKeyIsActive if event is Event.SUPERSEDE else IllegalTransition
        refusal(error, lambda: ATTEMPTS[event](do, ended.kid), ended.kid)


@pytest.mark.parametrize("step", ["register", "retire", "revoke"])
def test_ended_keys_are_forgotten_only_after_their_age(do, ages, step):
    """At 48 h an end is still remembered; a moment later it is not, and nothing else is lost."""
    end, created = NOW + ages.ended, {"created": NOW + ages.ended} if step == "register" else {}
    keys = keyset(ACTIVE, GRACE)
    kept = getattr(do, step)(keys, now=end, **created)
    assert {R, V} <= {key.kid for key in kept.ended}
    later = getattr(do, step)(keys, now=end + TICK, **created)
    assert not {R, V} & {key.kid for key in later.known}
    assert later.keys == kept.keys
