"""`keyturn rotate` says beforehand how long the standby has to wait, and why."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from keyturn.keyset.model import Keyset
from keyturn.keyset.states import State
from tests.unit.cli.deployed import denied
from tests.unit.cli.running import keyturn


@pytest.fixture(autouse=True)
def _later(deployment, monkeypatch, clock):
    """An hour later; STS does not say who is calling, and nothing can be started."""
    clock.advance(3600)
    monkeypatch.setattr(deployment, "caller", denied)
    monkeypatch.setitem(deployment.__dict__, "start", None)


def dry_run() -> str:
    """The output of `keyturn rotate --dry-run`."""
    return keyturn("rotate", "--dry-run", width=200).stdout


def with_full_jwks(keyset: Keyset, now: datetime) -> Keyset:
    """With eight grace keys beside the active key and its standby; the first retires in a minute."""
    active: Any = keyset.active
    grace = [
        replace(
            active,
            kid=f"{number:043}",
            kms_key_arn=f"{active.kms_key_arn}-{number}",
            state=State.GRACE,
            superseded=now,
            verify_until=now + timedelta(seconds=60 + number),
        )
        for number in range(8)
    ]
    return replace(keyset, keys=(*keyset.keys, *grace))


def test_a_full_jwks_has_to_be_waited_for(booted, origin, clock):
    """The standby waits until the first grace key may retire: its verify_until and ε."""
    clock.wall = clock.wall.replace(microsecond=0)
    booted.keysets.update(with_full_jwks, origin)
    seconds = 60 + booted.times.clock_skew
    assert f"may sign in {seconds} s: the JWKS is full until a grace key retires." in dry_run()


def test_a_known_standby_may_sign_at_once():
    """It was published long ago, and the JWKS has room."""
    assert "may sign in 0 s." in dry_run()
