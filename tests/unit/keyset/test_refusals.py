"""A refusal is read by somebody at night: it names the key, the state it is in and what was wanted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keyturn.keyset import transitions
from keyturn.keyset.errors import AnotherKeyIsActive, IllegalTransition
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import State
from tests.unit.stage import active_key

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=1)
ACTIVE = Key("a", "arn-a", State.ACTIVE, 900, BEFORE, BEFORE, BEFORE)
STANDBY = Key("s", "arn-s", State.STANDBY, 900, BEFORE, BEFORE)
RETIRED = EndedKey("r", "arn-r", State.RETIRED, NOW, NOW)


def refusal(kind, step, *args, **kwargs) -> str:
    """The message of a refused transition."""
    with pytest.raises(kind) as refused:
        getattr(transitions, step)(*args, **kwargs)
    return str(refused.value)


def test_a_kid_that_has_ended_cannot_be_registered_again(limits):
    """Whose it was is in the message."""
    said = refusal(
        IllegalTransition, "register", Keyset((), (RETIRED,)), "r", "arn-r", NOW,
        created=NOW, lifetime=900, limits=limits,
    )  # fmt: skip
    assert said == "key r is retired: register is not possible in this state"


def test_an_ended_key_cannot_sign_again(times, limits):
    """Also not by a rollback."""
    keys, arguments = Keyset((ACTIVE,), (RETIRED,)), {"supersede": "a", "times": times}
    for step, more in (("activate", {"limits": limits}), ("roll_back", {})):
        message = refusal(IllegalTransition, step, keys, "r", NOW, **arguments, **more)
        assert message == f"key r is retired: {step} is not possible in this state"


def test_an_active_key_is_not_retired(times, limits):
    """Only grace leads there."""
    said = refusal(
        IllegalTransition, "retire", Keyset((ACTIVE,)), "a", NOW, times=times, limits=limits
    )
    assert said == "key a is active: retire is not possible in this state"


@pytest.mark.parametrize(
    ("keys", "supersede", "said"),
    [
        ((ACTIVE, STANDBY), "x", "the key to supersede was x, but a is active"),
        ((ACTIVE, STANDBY), None, "the key to supersede was none, but a is active"),
        ((STANDBY,), "x", "the key to supersede was x, but none is active"),
    ],
)
def test_another_key_signs_than_was_thought(times, limits, keys, supersede, said):
    """Both are named."""
    now = NOW + timedelta(days=2)
    given = {"supersede": supersede, "times": times, "limits": limits}
    assert refusal(AnotherKeyIsActive, "activate", Keyset(keys), "s", now, **given) == said


def test_the_rise_that_comes_with_a_revocation_keeps_the_grace_of_others(times, limits):
    """The standby signs from the very same instant, and supersedes nobody who is left."""
    keys = Keyset((ACTIVE, replace(STANDBY, published=None)))
    risen = transitions.revoke(keys, ["a"], NOW, times=times, limits=limits)
    assert (active_key(risen).kid, active_key(risen).activated, risen.grace) == ("s", NOW, ())
