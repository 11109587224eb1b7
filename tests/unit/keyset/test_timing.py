"""The arithmetic of every rule, and the settings it refuses."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from keyturn.keyset import timing
from keyturn.keyset.errors import ContradictorySettings
from keyturn.keyset.timing import BOUNDS, Times
from tests.periods import DEFAULTS

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIFETIME = 900
NAMES = [field.name for field in fields(Times)]

EXPECTED_BOUNDS = {
    "view_ttl": (1, 300),
    "propagation": (1, 172_800),
    "token_lifetime": (1, 86_400),
    "leeway": (0, 300),
    "clock_skew": (0, 60),
    "issuer_timeout": (1, 29),
    "write_delay": (1, 900),
    "result_ttl": (0, 3_600),
    "rotation_period": (1, 31_622_400),
    "stale_limit": (1, 86_400),
    "jwks_max_age": (1, 172_800),
    "cdn_ttl": (0, 172_800),
}

RULES = {
    "publication_wait": timing.publication_wait,
    "grace_period": lambda times: timing.grace_period(times, LIFETIME),
    "may_sign_after": lambda times: timing.may_sign_after(NOW, times) - NOW,
    "verify_until": lambda times: timing.verify_until(NOW, LIFETIME, times) - NOW,
    "retire_after": lambda times: timing.retire_after(NOW, times) - NOW,
    "roll_back_before": lambda times: NOW - timing.roll_back_before(NOW, times),
    "due_at": lambda times: timing.due_at(NOW, times) - NOW,
    "revocation_bound": timing.revocation_bound,
}
PUBLICATION = {"propagation", "write_delay", "clock_skew"}
GRACE = {"write_delay", "view_ttl", "issuer_timeout", "leeway", "clock_skew"}
TERMS = {
    "publication_wait": PUBLICATION,
    "grace_period": GRACE,
    "may_sign_after": PUBLICATION,
    "verify_until": GRACE,
    "retire_after": {"clock_skew"},
    "roll_back_before": {"write_delay", "view_ttl", "clock_skew"},
    "due_at": {"rotation_period"},
    "revocation_bound": {"view_ttl", "result_ttl", "clock_skew"},
}


def contradictions(times: Times) -> tuple[str, ...]:
    """The problems of these settings."""
    try:
        times.validate()
    except ContradictorySettings as error:
        return error.contradictions
    return ()


@pytest.mark.parametrize(
    ("rule", "seconds"),
    [
        ("publication_wait", 7500 + 20 + 10),
        ("grace_period", 20 + 30 + 10 + LIFETIME + 30 + 10),
        ("may_sign_after", 7530),
        ("verify_until", LIFETIME + 100),
        ("retire_after", 10),
        ("roll_back_before", 20 + 30 + 10),
        ("due_at", 2_592_000),
        ("revocation_bound", 30 + 0 + 10),
    ],
)
def test_default_settings_in_seconds(rule, seconds, times):
    """Each rule gives the seconds that DESIGN.md section 4 adds up to."""
    assert RULES[rule](times) == timedelta(seconds=seconds)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rule", RULES)
def test_every_term_counts_once(rule, name, times):
    """A second more in a period is a second more in the rules that add it, and in no other."""
    longer = replace(times, **{name: getattr(times, name) + 1})
    difference = RULES[rule](longer) - RULES[rule](times)
    assert difference == timedelta(seconds=name in TERMS[rule])


def test_the_keys_own_lifetime_counts(times):
    """Grace lasts as long as the key's own tokens, whatever the setting is now."""
    assert timing.grace_period(times, 61) - timing.grace_period(times, 60) == timedelta(seconds=1)


def test_the_larger_of_propagation_and_view_ttl_counts(times):
    """A view that lives longer than the JWKS spreads decides the publication wait."""
    slow_views = replace(times, propagation=5, view_ttl=300)
    assert timing.publication_wait(slow_views) == timedelta(seconds=300 + 20 + 10)


@pytest.mark.parametrize(
    ("microsecond", "rounded", "woken"),
    [(0, 0, 1), (1, 1, 1), (999_999, 1, 1)],
    ids=["on the second", "just after", "just before the next"],
)
def test_rounding_only_ever_waits_longer(microsecond, rounded, woken):
    """Stored instants round up; a sleeper wakes strictly after, by any clock within ε."""
    instant = NOW.replace(microsecond=microsecond)
    assert timing.whole_second(instant) == NOW + timedelta(seconds=rounded)
    assert timing.wake_after(instant, DEFAULTS) == NOW + timedelta(seconds=woken + 10)


def test_the_default_settings_are_valid(times):
    """`validate` returns them unchanged."""
    assert times.validate() is times


def test_the_demo_settings_are_valid_without_reserve(demo_times):
    """The demo waits 10 s for publication and 29 s of grace: a period of 40 s just holds."""
    assert timing.publication_wait(demo_times) == timedelta(seconds=10)
    assert timing.grace_period(demo_times, demo_times.token_lifetime) == timedelta(seconds=29)
    assert demo_times.validate() is demo_times


def test_a_period_one_second_short_is_refused_with_the_arithmetic(demo_times):
    """A rotation that would overlap the next one is refused; the message shows the sum."""
    assert contradictions(replace(demo_times, rotation_period=39)) == (
        "rotation_period (39 s) must be at least publication wait 10 + grace 29 + clock_skew 1 "
        "= 40 s",
    )


def test_the_bounds_are_the_expected_ones():
    """Every period has the bounds that were written down by hand."""
    assert BOUNDS == EXPECTED_BOUNDS
    assert list(BOUNDS) == NAMES


@pytest.mark.parametrize("side", [0, 1], ids=["low", "high"])
@pytest.mark.parametrize("name", NAMES)
def test_bounds_are_inclusive_and_refused_by_name(name, side, times):
    """The bound itself is within; one second beyond it is refused, naming the period."""
    low, high = EXPECTED_BOUNDS[name]
    bound, beyond = (low, low - 1) if side == 0 else (high, high + 1)
    complaint = f"{name} is {beyond} s, outside {low} to {high} s"
    assert complaint in contradictions(replace(times, **{name: beyond}))
    at_bound = contradictions(replace(times, **{name: bound}))
    assert not any("outside" in problem for problem in at_bound)


@pytest.mark.parametrize(
    ("equal", "changes", "complaint"),
    [
        (
            {"stale_limit": 30},
            {"stale_limit": 29},
            "view_ttl (30 s) must not exceed stale_limit (29 s)",
        ),
        (
            {"propagation": 400, "cdn_ttl": 100},
            {"propagation": 400, "cdn_ttl": 101},
            "jwks_max_age + cdn_ttl (300 + 101 s) must not exceed propagation (400 s)",
        ),
        ({"leeway": 10}, {"leeway": 9}, "clock_skew (10 s) must not exceed leeway (9 s)"),
        (
            {"rotation_period": 11_240},
            {"rotation_period": 11_239},
            "rotation_period (11239 s) must be at least publication wait 7530 + grace 3700 "
            "+ clock_skew 10 = 11240 s",
        ),
    ],
    ids=["stale limit", "propagation", "leeway", "period"],
)
def test_contradictions_are_refused_with_the_arithmetic(equal, changes, complaint, times):
    """Each requirement allows equality; a second beyond it is refused, in a sentence with the numbers."""
    assert contradictions(replace(times, **equal)) == ()
    assert contradictions(replace(times, **changes)) == (complaint,)


def test_all_contradictions_are_listed_at_once(times):
    """One error lists every bound and contradiction, so that an operator fixes them in one go."""
    wrong = replace(times, leeway=301, stale_limit=29, jwks_max_age=7501, rotation_period=60)
    with pytest.raises(ContradictorySettings) as refused:
        wrong.validate()
    assert len(refused.value.contradictions) == 4
    assert str(refused.value) == "; ".join(refused.value.contradictions)


def test_the_fixed_ages_and_numbers(limits):
    """They are those of the design; no setting changes them."""
    assert limits.generation_age == timedelta(hours=1)
    assert limits.settling_time == timedelta(minutes=10)
    assert limits.registration_age == timedelta(hours=1)
    assert limits.ended_age == timedelta(hours=48)
    assert limits.generation_count == 40
    assert (limits.live_keys, limits.listed_keys) == (10, 12)


def test_an_orphan_is_swept_when_no_slow_write_can_register_it(limits):
    """It is older than the registration age, the longest write and the largest skews together."""
    margin = timedelta(seconds=BOUNDS["write_delay"][1] + 3 * BOUNDS["clock_skew"][1])
    assert limits.orphan_age > limits.registration_age + margin
