"""What the soak calls a broken promise: it must not explain a real one away."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.periods import DEFAULTS
from tools.soak.load import Refusal
from tools.soak.operator import Action, schedule
from tools.soak.verdict import accepted_past_bound, kinds
from tools.soak.watch import UnclaimedKey

REVOKED, ALONE = 1_000.0, 2_000.0
WATCH: Any = SimpleNamespace(revoked={"revoked": REVOKED}, alone={"alone": ALONE})
EARLIEST = REVOKED - 1 - DEFAULTS.write_delay  # the stored instant is rounded up, and may land late
YOUNG = ALONE + DEFAULTS.view_ttl + DEFAULTS.clock_skew


@pytest.mark.parametrize(
    ("kid", "at", "status", "kind"),
    [
        ("revoked", EARLIEST, 401, "revoked"),
        ("revoked", EARLIEST - 0.1, 401, "valid"),
        ("alone", YOUNG, 401, "alone"),
        ("alone", YOUNG + 0.1, 401, "valid"),
        ("other", 3_000, 401, "valid"),
        ("other", 3_000, 403, "valid"),
        ("other", 3_000, 503, "fault"),
    ],
)
def test_why_a_token_was_refused(kid, at, status, kind):
    """Only a revocation, and a key that signs alone and is young, excuse a refusal."""
    load: Any = SimpleNamespace(refusals=[Refusal(kid, at, at, status)])
    assert kinds(load, WATCH, DEFAULTS) == {kind: 1}


def test_revoked_tokens_accepted_past_the_bound():
    """What was sent later than the bound counts, and only for the revoked key."""
    sent = [REVOKED - 1, REVOKED + 40, REVOKED + 40.1, REVOKED + 50]
    load: Any = SimpleNamespace(acceptances={"revoked": sent, "other": sent})
    assert accepted_past_bound(load, WATCH, 40) == 2


@pytest.mark.parametrize(
    ("endings", "explained"),
    [
        (["FAILED in CreateKey"], True),
        (["SUCCEEDED in Overtaken"], True),
        (["SUCCEEDED in Rotated"], False),
        (["SUCCEEDED in Revoked"], False),
        (["SUCCEEDED in Rotated", "FAILED in CreateKey"], True),
        ([], False),
    ],
)
def test_a_key_is_explained_by_the_run_that_left_it(endings, explained):
    """A run that reached its goal leaves no unclaimed key, and an unknown run explains none."""
    assert UnclaimedKey("arn", tuple(endings)).explained is explained


def test_the_schedule_has_all_kinds_of_emergencies():
    """It has as many actions as were asked for, within the time; a quarter of the emergencies revoke all keys."""
    actions = schedule(3_600, 60, 20)
    assert sum(action.revoke == "" for action in actions) == 60
    assert sum(action.revoke == "--active" for action in actions) == 15
    assert sum(action.revoke == "--all" for action in actions) == 5
    assert all(0 <= action.at < 3_600 for action in actions)
    assert Action(0.0) in actions
