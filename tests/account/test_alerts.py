"""People hear of it: once, and of everything."""

from typing import Any

import pytest

from tests.account.resolve import Deployment
from tests.synthesized import Template, mutated, synthesized

EXECUTION_ALARMS = {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}
EVENTS = ("KeyPublished", "KeyActivated", "KeyRetired", "KeyRevoked", "DriftRepaired")


def undelivered(template: Template) -> list[str]:
    """The services that the topic's policy keeps from publishing."""
    [policy] = Deployment(template).resources("AWS::SNS::TopicPolicy").values()
    delivered = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        services = statement["Principal"]["Service"]
        for service in [services] if isinstance(services, str) else services:
            if service != "events.amazonaws.com" or "Condition" not in statement:
                delivered.add(service)
    return sorted({"cloudwatch.amazonaws.com", "events.amazonaws.com"} - delivered)


def reaches_people(template: Template, event: dict[str, Any]) -> bool:
    """Whether a rule with the topic as its target takes this event; only the operators in use."""
    rules = Deployment(template).resources("AWS::Events::Rule").values()
    patterns = [
        r["EventPattern"] for r in rules if any(t["Arn"] == "<Alerts>" for t in r["Targets"])
    ]
    return any(_matches(pattern, event) for pattern in patterns)


def _matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    return all(
        _matches(part, event.get(name, {}))
        if isinstance(part, dict)
        else any(
            event.get(name) not in value["anything-but"]
            if isinstance(value, dict)
            else event.get(name) == value
            for value in part
        )
        for name, part in pattern.items()
    )


def _event(detail_type: str, stack: str = "keyturn") -> dict[str, Any]:
    return {"source": "keyturn", "detail-type": detail_type, "detail": {"stack": stack}}


def tellings_of_a_failure(template: Template) -> int:
    """How often people hear that an execution has failed: by alarms and by its event."""
    failing = [
        alarm
        for alarm in Deployment(template).resources("AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "ExecutionsFailed" and alarm["AlarmActions"] == ["<Alerts>"]
    ]
    return len(failing) + reaches_people(template, _event("RotationFailed"))


def alarms_on_deliveries(template: Template) -> list[str]:
    """The rules whose failed deliveries raise an alarm."""
    return [
        dimension["Value"]
        for alarm in Deployment(template).resources("AWS::CloudWatch::Alarm").values()
        if (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Events", "FailedInvocations")
        for dimension in alarm["Dimensions"]
    ]


def with_one_condition_for_both(template: Template) -> None:
    """As it was."""
    policy = template["Resources"]["AlertsPolicy"]["Properties"]["PolicyDocument"]
    alarms, events = policy["Statement"]
    events["Condition"] = alarms["Condition"]


def test_eventbridge_publishes_without_a_condition() -> None:
    """A Condition in the topic's policy keeps EventBridge from publishing, silently.

    Source: EventBridge User Guide, "Using resource-based policies for Amazon EventBridge", Amazon SNS
    permissions; AWS re:Post, "Why isn't my Amazon SNS topic receiving EventBridge notifications?"
    """
    assert undelivered(dict(synthesized())) == []
    assert undelivered(mutated(with_one_condition_for_both)) == ["events.amazonaws.com"]


def test_a_failed_delivery_raises_an_alarm() -> None:
    """Alarms have another way to the topic. Source: EventBridge User Guide, "Monitoring Amazon EventBridge"."""
    assert alarms_on_deliveries(dict(synthesized())) == ["<AlertsOfEvents>"]
    deaf = mutated(lambda template: template["Resources"].pop("AlertsUndelivered"))
    assert alarms_on_deliveries(deaf) == []


@pytest.mark.parametrize("detail_type", EVENTS)
def test_what_happens_to_the_keys_is_told(detail_type: str) -> None:
    """Alerts are sent for this stack's keys, and for no other's."""
    assert reaches_people(dict(synthesized()), _event(detail_type))
    assert not reaches_people(dict(synthesized()), _event(detail_type, stack="another"))


def test_a_failed_execution_is_told_once() -> None:
    """Its alarm, which needs none of our code, sends the alert; the event is for programs."""
    assert tellings_of_a_failure(dict(synthesized())) == 1

    def tell_twice(template: Template) -> None:
        del template["Resources"]["AlertsOfEvents"]["Properties"]["EventPattern"]["detail-type"]

    assert tellings_of_a_failure(mutated(tell_twice)) == 2


def test_every_end_of_an_execution_but_success_has_its_alarm() -> None:
    """Failed, timed out, stopped by hand."""
    alarms = Deployment(dict(synthesized())).resources("AWS::CloudWatch::Alarm").values()
    watched = {alarm["MetricName"] for alarm in alarms if alarm["Namespace"] == "AWS/States"}
    assert watched == EXECUTION_ALARMS
