"""`keyturn rotate` says beforehand how long the standby has to wait, and what for."""

from dataclasses import replace
from datetime import timedelta

import pytest

from keyturn.aws.faults import AwsFault
from keyturn.keyset.states import State
from tests.unit.cli.running import keyturn


@pytest.fixture
def fill_jwks(booted, origin, clock):
    """Eight grace keys beside the active one and its standby, the first of them over in a minute."""

    def fill(keyset, now):
        grace = [
            replace(
                keyset.active,
                kid=f"{number:043}",
                kms_key_arn=f"{keyset.active.kms_key_arn}-{number}",
                state=State.GRACE,
                superseded=now,
                verify_until=now + timedelta(seconds=60 + number),
            )
            for number in range(8)
        ]
        return replace(keyset, keys=(*keyset.keys, *grace))

    def fill_jwks():
        clock.advance(3600)
        clock.wall = clock.wall.replace(microsecond=0)
        booted.keysets.update(fill, origin)

    return fill_jwks


@pytest.fixture
def dry_run(deployment, monkeypatch):
    """What a dry run says, by credentials that nothing is known of."""

    def caller():
        raise AwsFault("sts:GetCallerIdentity", "AccessDenied")

    monkeypatch.setattr(deployment, "caller", caller)
    monkeypatch.setitem(deployment.__dict__, "start", None)
    return lambda: keyturn("rotate", "--dry-run", width=200).stdout


def test_a_full_jwks_has_to_be_waited_for(dry_run, fill_jwks, booted):
    """Until the first grace key may retire: verify_until and ε."""
    fill_jwks()
    seconds = 60 + booted.times.clock_skew
    assert f"may sign in {seconds} s: the JWKS is full until a grace key retires." in dry_run()


def test_a_known_standby_may_sign_at_once(dry_run, clock):
    """Its publication is long ago, and there is room."""
    clock.advance(3600)
    assert "may sign in 0 s." in dry_run()
