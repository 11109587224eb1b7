"""Alarms that are raised when something is wrong, and never because a stack is new."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.account.alarms import actions_of, state
from tests.account.resolve import Deployment
from tests.synthesized import Template, mutated, synthesized

_ALARM = "AWS::CloudWatch::Alarm"
NEW = "INSUFFICIENT_DATA"


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """Every alarm of the template."""
    return Deployment(template).resources(_ALARM)


def raised_at_birth(template: Template) -> list[str]:
    """Alarms that tell people something before there is any data, and that is half an hour's worst."""
    return [
        name
        for name, alarm in alarms(template).items()
        if actions_of(alarm, NEW, state(alarm, [None] * 3))
    ]


def watching_the_authorizer(template: Template) -> list[str]:
    """Alarms on AWS/Lambda's Errors of a function that raises to say 401."""
    return [
        name
        for name, alarm in alarms(template).items()
        if alarm["Namespace"] == "AWS/Lambda"
        and alarm["MetricName"] == "Errors"
        and {"Name": "FunctionName", "Value": "<AuthorizeFunction>"} in alarm["Dimensions"]
    ]


def _treat(name: str, treatment: str):
    def change(template: Template) -> None:
        template["Resources"][name]["Properties"]["TreatMissingData"] = treatment

    return change


def test_a_new_stack_raises_no_alarm() -> None:
    """Missing data are no reason where nothing has happened yet.

    Source: CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data".
    """
    assert raised_at_birth(dict(synthesized())) == []


@pytest.mark.parametrize("name", sorted(alarms(dict(synthesized()))))
def test_an_alarm_for_which_missing_data_are_bad_is_noticed(name: str) -> None:
    """The check notices the setting that NoStandby once had."""
    assert raised_at_birth(mutated(_treat(name, "breaching"))) == [name]


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([1, 1, 1], "OK"),
        ([None, None, 1], "OK"),
        ([0, 0, 0], "ALARM"),
        ([0, 0, 1], "OK"),
        ([None, None, None], "INSUFFICIENT_DATA"),
    ],
)
def test_no_standby_tells_of_a_missing_standby_and_of_a_missing_reconcile(points, expected) -> None:
    """Reconcile writes the metric every ten minutes: without it there are no data, which notifies."""
    alarm = alarms(dict(synthesized()))["NoStandby"]
    assert state(alarm, points) == expected
    assert bool(actions_of(alarm, "OK", expected)) is (expected != "OK")


def test_no_standby_that_keeps_quiet_about_missing_data_is_noticed() -> None:
    """Without the action for insufficient data it would not notify when reconcile has stopped."""

    def forget(template: Template) -> None:
        del template["Resources"]["NoStandby"]["Properties"]["InsufficientDataActions"]

    alarm = alarms(mutated(forget))["NoStandby"]
    assert actions_of(alarm, "OK", state(alarm, [None] * 3)) == []


def test_nobody_watches_the_authorizers_errors() -> None:
    """A Lambda authorizer of a REST API says 401 by raising `Unauthorized`: each is one of Lambda's Errors.

    Source: API Gateway Developer Guide, "Use API Gateway Lambda authorizers".
    """
    assert watching_the_authorizer(dict(synthesized())) == []

    def watch(template: Template) -> None:
        [dimension] = template["Resources"]["ReconcileFailed"]["Properties"]["Dimensions"]
        dimension["Value"] = {"Ref": "AuthorizeFunction"}

    assert watching_the_authorizer(mutated(watch)) == ["ReconcileFailed"]


def test_the_docs_say_not_to_watch_them() -> None:
    """The page that lists the signals says so once."""
    text = " ".join(Path("docs/signals.md").read_text().split())
    assert re.search(r"Do not alarm on the authorizer's Lambda metric `Errors`", text)
