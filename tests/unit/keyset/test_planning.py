"""Whether a rotation is due, and the reason that is logged for it."""

from datetime import UTC, datetime, timedelta

import pytest

from keyturn.keyset.model import Key, Keyset
from keyturn.keyset.planning import Plan, Reason, plan_rotation
from keyturn.keyset.states import State

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PERIOD = timedelta(days=30)
A, S = "a" * 43, "s" * 43
STANDBY = Key(S, "arn:aws:kms:::key/s", State.STANDBY, 3600, NOW, published=NOW)


def signing_since(activated: datetime | None) -> Keyset:
    """An active key since this instant, and a standby."""
    active = Key(A, "arn:aws:kms:::key/a", State.ACTIVE, 3600, NOW, activated=activated)
    return Keyset((active, STANDBY))


@pytest.mark.parametrize(
    ("age", "plan"),
    [
        (timedelta(0), Plan(False, Reason.ACTIVE_KEY_NOT_DUE, None)),
        (PERIOD - timedelta(microseconds=1), Plan(False, Reason.ACTIVE_KEY_NOT_DUE, None)),
        (PERIOD, Plan(True, Reason.ACTIVE_KEY_DUE, A)),
        (PERIOD + timedelta(days=5), Plan(True, Reason.ACTIVE_KEY_DUE, A)),
    ],
    ids=["new", "just before", "exactly the period", "a missed rotation"],
)
def test_a_scheduled_rotation_is_due_by_age(age, plan, times):
    """The active key is due once it has signed for a whole period, and stays due."""
    assert plan_rotation(signing_since(NOW - age), NOW, times) == plan


def test_a_key_of_unknown_age_is_due(times):
    """Without it, an active key could stay active for ever."""
    plan = plan_rotation(signing_since(None), NOW, times)
    assert plan == Plan(True, Reason.ACTIVE_KEY_DUE, A)


@pytest.mark.parametrize("keyset", [Keyset(), Keyset((STANDBY,))], ids=["empty", "standby only"])
def test_a_keyset_without_a_signer_is_due(keyset, times):
    """If no key is active, a rotation is due, and supersedes none."""
    assert plan_rotation(keyset, NOW, times) == Plan(True, Reason.NO_ACTIVE_KEY, None)


@pytest.mark.parametrize("age", [timedelta(0), PERIOD], ids=["new", "due anyway"])
def test_a_requested_rotation_is_due_while_the_named_key_is_active(age, times):
    """The age of the key does not matter."""
    plan = plan_rotation(signing_since(NOW - age), NOW, times, requested_kid=A)
    assert plan == Plan(True, Reason.OPERATOR_ASKED, A)


@pytest.mark.parametrize(
    "keyset",
    [Keyset(), Keyset((STANDBY,)), signing_since(NOW - PERIOD)],
    ids=["empty", "the named key is standby", "another key is active and due"],
)
def test_a_requested_rotation_is_not_due_once_the_named_key_is_superseded(keyset, times):
    """A repeated request does nothing."""
    plan = plan_rotation(keyset, NOW, times, requested_kid=S)
    assert plan == Plan(False, Reason.SUPERSEDED_ALREADY, None)
