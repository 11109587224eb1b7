"""Revocation of keys: it never waits, and never activates a compromised key."""

from dataclasses import replace

import pytest

from keyturn.keyset.errors import UnknownKid
from keyturn.keyset.model import EndedKey, Keyset
from keyturn.keyset.states import State
from tests.unit.keyset.steps import (
    ACTIVE,
    FULL,
    GRACE,
    LIMITS,
    LONG_AGO,
    NOW,
    STANDBY,
    TICK,
    A,
    G,
    N,
    R,
    S,
    V,
    arn,
    keyset,
    revoke,
)


@pytest.mark.parametrize(("kid", "remaining"), [(S, (ACTIVE, GRACE)), (G, (ACTIVE, STANDBY))])
def test_revoke_ends_a_key_at_once(kid, remaining):
    """A revoked standby or grace key has ended, and the active key still signs."""
    ended = EndedKey(kid, arn(kid), State.REVOKED, LONG_AGO, NOW)
    assert revoke(FULL, [kid], NOW - TICK) == Keyset(remaining, (*FULL.ended, ended))


@pytest.mark.parametrize("published", [LONG_AGO, NOW, None], ids=["known", "too early", "unknown"])
def test_revoking_the_active_key_activates_the_standby(published):
    """In the same change, and without any wait, the standby takes its place."""
    standby = replace(STANDBY, published=published)
    revoked = revoke(keyset(ACTIVE, standby, GRACE), [A], NOW - TICK)
    assert revoked.keys == (replace(standby, state=State.ACTIVE, activated=NOW), GRACE)
    assert revoked.get(A) == EndedKey(A, arn(A), State.REVOKED, LONG_AGO, NOW)


@pytest.mark.parametrize("kids", [[A, S], [S, A], [A, S, G]])
def test_revoking_active_and_standby_leaves_no_active_key(kids):
    """A compromised standby is not activated."""
    revoked = revoke(FULL, kids, NOW)
    assert (revoked.active, revoked.standby) == (None, None)
    assert {revoked.get(kid).state for kid in kids} == {State.REVOKED}


def test_revoking_the_active_key_without_a_standby_leaves_no_active_key():
    """A compromised key never signs on."""
    assert revoke(keyset(ACTIVE, GRACE), [A], NOW).keys == (GRACE,)


def test_a_retried_revocation_spares_the_key_activated_since():
    """Kids that have ended are ignored, also long after; live ones beside them are revoked."""
    revoked = revoke(FULL, [A], NOW)
    assert revoke(revoked, [A, R, V], NOW + 2 * LIMITS.ended_age) == revoked
    assert revoke(revoked, [A, G], NOW).get(G).state is State.REVOKED


def test_revoke_is_all_or_nothing():
    """If one of the kids is unknown, the revocation is refused."""
    with pytest.raises(UnknownKid, match=N):
        revoke(FULL, [G, N], NOW)


def test_a_kid_named_twice_is_revoked_once():
    """Duplicates in the list have no effect."""
    assert revoke(FULL, [A, A], NOW) == revoke(FULL, [A], NOW)
