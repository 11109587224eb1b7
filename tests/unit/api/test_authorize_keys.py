"""The tokens of a key in each state, by the keyset as this container sees it."""

from dataclasses import replace

import pytest

from keyturn.keyset.model import Keyset
from keyturn.keyset.transitions import publish, retire, revoke, roll_back
from tests.unit.api.requests import accepted, logged, mint
from tests.unit.changes import change, supersede
from tests.unit.stage import active_key, grace_until, settle, standby_key, truth


def test_tokens_of_a_published_standby_are_accepted(booted, cloud):
    """It may be activated without waiting for any verifier."""
    assert accepted(mint(booted, cloud, truth(cloud).standby))


def test_tokens_of_an_unpublished_standby_are_refused(booted, cloud, printed):
    """No issuer signs with it yet."""
    standby = standby_key(truth(cloud))
    settle(cloud, booted, Keyset((active_key(truth(cloud)), replace(standby, published=None))))
    assert not accepted(mint(booted, cloud, standby))
    assert logged(printed)[-1]["code"] == "key_not_published"
    change(booted, publish, [standby.kid])
    assert not accepted(mint(booted, cloud, standby))  # the view is fresh: nothing was read


def test_grace_ends_by_the_authorizer_s_own_clock(booted, cloud, clock, printed):
    """It lasts until verify_until exactly, even if no workflow ever retires the key."""
    clock.advance(60)
    old = supersede(booted, cloud)
    clock.wall = grace_until(truth(cloud), old.kid)
    assert accepted(mint(booted, cloud, old))
    clock.advance(0.001)
    assert not accepted(mint(booted, cloud, old))
    assert logged(printed)[-1]["code"] == "key_expired"
    assert accepted(mint(booted, cloud))


def test_a_rolled_back_key_is_accepted_again(booted, cloud, clock):
    """It no longer has an end."""
    clock.advance(60)
    old = supersede(booted, cloud)
    superseded = active_key(truth(cloud)).kid
    change(booted, roll_back, old.kid, supersede=superseded, times=booted.times)
    clock.advance(1000)
    assert accepted(mint(booted, cloud, old))


@pytest.mark.parametrize(("transition", "code"), [(retire, "key_retired"), (revoke, "key_revoked")])
def test_an_ended_key_is_refused(booted, cloud, clock, printed, transition, code):
    """It is refused as soon as the view shows it."""
    clock.advance(60)
    old = supersede(booted, cloud)
    assert accepted(mint(booted, cloud, old))
    clock.advance(31)
    kid = old.kid if transition is retire else [old.kid]
    change(booted, transition, kid, times=booted.times, limits=booted.limits)
    assert not accepted(mint(booted, cloud, old))
    assert logged(printed)[-1]["code"] == code


def test_a_revocation_takes_effect_after_c(booted, cloud, clock):
    """Until the view is renewed this container does not know of it."""
    clock.fixed_fraction = 0  # it reads again when C is over, not earlier
    active = active_key(truth(cloud))
    assert accepted(mint(booted, cloud, active))
    change(booted, revoke, [active.kid], times=booted.times, limits=booted.limits)
    clock.advance(1)
    assert accepted(mint(booted, cloud, active))
    clock.advance(0.001)
    assert not accepted(mint(booted, cloud, active))
