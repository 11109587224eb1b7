"""Whose tokens count: each state of a key, by the keyset as this container sees it."""

from dataclasses import replace

import pytest

from keyturn.keyset.model import Keyset
from keyturn.keyset.transitions import publish, retire, revoke, roll_back
from tests.unit.api.requests import accepted, logged, mint
from tests.unit.changes import change, supersede
from tests.unit.stage import active_key, grace_until, settle, standby_key, truth


def test_tokens_of_a_published_standby_count(booted, cloud):
    """Whoever activates it needs no verifier's leave."""
    assert accepted(mint(booted, cloud, truth(cloud).standby))


def test_tokens_of_an_unpublished_standby_do_not_count(booted, cloud, printed):
    """Nobody may have signed with it."""
    standby = standby_key(truth(cloud))
    settle(cloud, booted, Keyset((active_key(truth(cloud)), replace(standby, published=None))))
    assert not accepted(mint(booted, cloud, standby))
    assert logged(printed)[-1]["code"] == "key_not_published"
    change(booted, publish, [standby.kid])
    assert not accepted(mint(booted, cloud, standby))  # the view is fresh: nothing was read


def test_grace_ends_by_the_readers_own_clock(booted, cloud, clock, printed):
    """Until verify_until, and not a moment longer, though no workflow ever retires the key."""
    clock.advance(60)
    old = supersede(booted, cloud)
    until = grace_until(truth(cloud), old.kid)
    clock.wall = until
    assert accepted(mint(booted, cloud, old))
    clock.advance(0.001)
    assert not accepted(mint(booted, cloud, old))
    assert logged(printed)[-1]["code"] == "key_expired"
    assert accepted(mint(booted, cloud, truth(cloud).active))


def test_a_rolled_back_key_counts_again(booted, cloud, clock):
    """And has no end any more."""
    clock.advance(60)
    old = supersede(booted, cloud)
    change(
        booted,
        roll_back,
        old.kid,
        supersede=active_key(truth(cloud)).kid,
        times=booted.times,
    )
    clock.advance(1000)
    assert accepted(mint(booted, cloud, old))


@pytest.mark.parametrize(("transition", "code"), [(retire, "key_retired"), (revoke, "key_revoked")])
def test_ended_keys_do_not_count(booted, cloud, clock, printed, transition, code):
    """Refused as soon as the view shows it, which is C later at the latest."""
    clock.advance(60)
    old = supersede(booted, cloud)
    assert accepted(mint(booted, cloud, old))
    clock.advance(31)
    kid = old.kid if transition is retire else [old.kid]
    change(booted, transition, kid, times=booted.times, limits=booted.limits)
    assert not accepted(mint(booted, cloud, old))
    assert logged(printed)[-1]["code"] == code


def test_a_revocation_counts_after_the_view_ttl(booted, cloud, clock):
    """Until C is over this container has not heard of it; then it refuses."""
    clock.fixed_fraction = 0  # it looks again when C is over, not earlier
    active = active_key(truth(cloud))
    assert accepted(mint(booted, cloud, active))
    change(booted, revoke, [active.kid], times=booted.times, limits=booted.limits)
    clock.advance(1)
    assert accepted(mint(booted, cloud, active))
    clock.advance(0.001)
    assert not accepted(mint(booted, cloud, active))
