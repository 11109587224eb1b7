"""docs/time.md has the template's periods, and its arithmetic is the code's."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keyturn.keyset import timing
from keyturn.keyset.errors import ContradictorySettings
from keyturn.keyset.timing import BOUNDS, Limits, Times
from tests.definition import snake
from tests.documents.pages import PAGES, code, rows, section
from tests.template import TEMPLATE
from tools.demo.story import TIMES as DEMO

PAGE = PAGES["docs/time.md"]
PARAMETERS: Mapping[str, Any] = TEMPLATE["Parameters"]
DEFAULTS = Times(
    **{snake(name): one["Default"] for name, one in PARAMETERS.items() if snake(name) in BOUNDS}
)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_periods_are_the_templates() -> None:
    """docs/time.md has each period with its default and bounds."""
    periods = {}
    for row in rows(section(PAGE, "The periods")):
        low, high = (int(bound.replace(",", "")) for bound in row[3].split(" to "))
        periods[code(row[1])[0]] = (int(row[2].replace(",", "")), (low, high))
    assert periods == {
        name: (PARAMETERS[name]["Default"], BOUNDS[snake(name)])
        for name in PARAMETERS
        if snake(name) in BOUNDS
    }


def test_the_fixed_ages_are_the_codes() -> None:
    """docs/time.md has each age, and the doctor's row about a missing standby has that one."""
    limits = Limits()
    ages = (
        limits.newborn_age,
        limits.settling_time,
        limits.registration_age,
        limits.orphan_age,
        limits.ended_age,
    )
    named = {_words(age) for age in (*ages, limits.generation_age)}
    named |= {
        f"{limits.generation_count} generations",
        f"{limits.live_keys} live keys",
        f"{limits.listed_keys} keys",
    }
    assert named == {row[0] for row in rows(section(PAGE, "The fixed ages and numbers"))}
    [row] = [row for row in rows(PAGES["docs/operating.md"]) if row[0] == "`no_standby`"]
    assert limits.settling_time == timedelta(minutes=10)
    assert "ten minutes after the last change" in row[3]


def _words(age: timedelta) -> str:
    minutes = int(age.total_seconds()) // 60
    number, unit = (minutes, "minute") if minutes < 60 else (minutes // 60, "hour")
    return f"{number} {unit}{'s' if number > 1 else ''}"


def example(times: Times) -> dict[str, int]:
    """The worked example in seconds, by the functions that the product uses."""
    life = times.token_lifetime
    until = timing.verify_until(START, life, times)
    wait, grace = timing.publication_wait(times), timing.grace_period(times, life)
    spans = {
        "publication wait": wait,
        "grace": grace,
        "retirement": timing.retire_after(until, times) - START,
        "rollback": timing.roll_back_before(until, times) - START,
        "revocation bound": timing.revocation_bound(times),
        "the same while SSM cannot be read": timing.outage_bound(times),
        "smallest R": wait + grace + timedelta(seconds=times.clock_skew),
    }
    return {name: int(span.total_seconds()) for name, span in spans.items()}


def test_the_worked_example_is_worked_out() -> None:
    """The worked example has the figures of the defaults and of the demo's times."""
    demo = Times(**{snake(name): value for name, value in DEMO.items() if snake(name) in BOUNDS})
    columns: tuple[dict[str, int], dict[str, int]] = {}, {}
    for name, _, *figures in rows(section(PAGE, "Worked example")):
        for column, figure in zip(columns, figures, strict=True):
            column[name.partition(",")[0]] = int(figure.replace(",", ""))
    assert columns == (example(DEFAULTS), example(demo))


def test_its_clock_times_are_right() -> None:
    """The clock times are those of a key that is published or superseded at noon, with the defaults."""
    second = timedelta(seconds=1)
    until = timing.verify_until(START, DEFAULTS.token_lifetime, DEFAULTS)
    text = " ".join(section(PAGE, "Worked example").split())
    assert f"may sign from {timing.may_sign_after(START, DEFAULTS) + second:%H:%M:%S}" in text
    assert f"verifies until {until:%H:%M:%S}" in text
    assert f"may retire from {timing.retire_after(until, DEFAULTS) + second:%H:%M:%S}" in text


@pytest.mark.parametrize(
    "changed",
    [
        {"stale_limit": 29},
        {"cdn_ttl": 101, "propagation": 400},
        {"leeway": 9},
        {"rotation_period": example(DEFAULTS)["smallest R"] - 1},
    ],
    ids=str,
)
def test_settings_are_refused_with_the_quoted_message(changed: Mapping[str, int]) -> None:
    """Each contradiction is refused with the message in its row; equality is allowed."""
    quoted = [code(row[1])[0] for row in rows(section(PAGE, "Contradictory settings are refused"))]
    with pytest.raises(ContradictorySettings) as refused:
        replace(DEFAULTS, **changed).validate()
    [message] = refused.value.contradictions
    assert message in quoted
    assert len(quoted) == 4
