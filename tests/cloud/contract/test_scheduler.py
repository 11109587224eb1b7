"""What `keyturn doctor` relies on in EventBridge Scheduler (keyturn.aws.operator.schedules).

Source: EventBridge Scheduler API Reference, UpdateSchedule.
"""

from functools import partial
from typing import Any

import pytest

from tests.cloud.contract.clouds import Cloud, refused

TARGET = {
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {
        "Arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "RoleArn": "arn:aws:iam::123456789012:role/r",
    },
}


@pytest.fixture
def name(cloud: Cloud) -> str:
    """A disabled schedule."""
    name = cloud.fresh("keyturn-contract-")
    cloud.clients.scheduler.create_schedule(
        Name=name, ScheduleExpression="rate(1 day)", State="DISABLED", **TARGET
    )
    return name


def described(cloud: Cloud, name: str) -> dict[str, Any]:
    """GetSchedule, as far as it is read."""
    schedule = cloud.clients.scheduler.get_schedule(Name=name)
    return {
        field: schedule.get(field) or None
        for field in ("State", "ScheduleExpression", "Description")
    }


def test_a_schedule_is_read_as_it_was_created(cloud: Cloud, name: str) -> None:
    """GetSchedule shows its state."""
    assert described(cloud, name) == {
        "State": "DISABLED",
        "ScheduleExpression": "rate(1 day)",
        "Description": None,
    }


def test_an_update_replaces_the_whole_schedule(cloud: Cloud, name: str) -> None:
    """UpdateSchedule keeps nothing of the old one."""
    cloud.clients.scheduler.update_schedule(
        Name=name, ScheduleExpression="rate(2 days)", State="ENABLED", Description="x", **TARGET
    )
    assert described(cloud, name) == {
        "State": "ENABLED",
        "ScheduleExpression": "rate(2 days)",
        "Description": "x",
    }


def test_a_schedule_that_does_not_exist_is_refused(cloud: Cloud) -> None:
    """The code means that there is none."""
    get = partial(cloud.clients.scheduler.get_schedule, Name=cloud.fresh("missing-"))
    assert refused(get) == ("ResourceNotFoundException", 404)
