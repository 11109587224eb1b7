"""What is created after what, and deleted before it."""

import pytest

from tests.account.resolve import dependencies
from tests.synthesized import Template, mutated, synthesized

_ALARM, _SCHEDULE = "AWS::CloudWatch::Alarm", "AWS::Scheduler::Schedule"


def early(template: Template, kind: str) -> list[str]:
    """Resources of this type that do not wait for the keyset."""
    return [
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind and "Keyset" not in dependencies(template, name)
    ]


def _detach(name: str):
    def change(template: Template) -> None:
        del template["Resources"][name]["DependsOn"]

    return change


ALARMS = [name for name, r in synthesized()["Resources"].items() if r["Type"] == _ALARM]


def test_alarms_come_after_the_keyset_and_go_before_it() -> None:
    """Else a new stack raises some while its first key is made, and its teardown stops executions.

    Source: CloudFormation User Guide, "DependsOn attribute": deletion runs in the reverse order.
    """
    assert early(dict(synthesized()), _ALARM) == []


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_without_its_dependency_is_noticed(alarm: str) -> None:
    """Each alarm without it is noticed."""
    assert early(mutated(_detach(alarm)), _ALARM) == [alarm]


def test_schedules_come_after_the_keyset_and_go_before_it() -> None:
    """A rate schedule without a start date fires at once, and its target needs the keyset.

    Source: EventBridge Scheduler User Guide, "Schedule types in EventBridge Scheduler".
    """
    assert early(dict(synthesized()), _SCHEDULE) == []
    for name in ("RotationDaily", "ReconcileOften"):

        def detach(template: Template, name: str = name) -> None:
            _detach(name)(template)
            _detach("PublishApisFunction")(template)  # for which the role of all schedules waits

        assert name in early(mutated(detach), _SCHEDULE)


def test_what_writes_to_the_bucket_by_itself_is_gone_before_it_is_emptied() -> None:
    """The keyset's deletion empties the bucket; what an event had put there since would keep it alive."""
    assert "Keyset" in dependencies(synthesized(), "PublishApisFunctionDocument")
    detached = mutated(_detach("PublishApisFunction"))
    assert "Keyset" not in dependencies(detached, "PublishApisFunctionDocument")


def test_nothing_needs_the_keyset_that_the_keyset_needs() -> None:
    """A circle would be refused, by CloudFormation at the first deployment."""
    for name in synthesized()["Resources"]:
        assert name not in dependencies(synthesized(), name)


def test_settings_are_checked_before_anything_costs_money_or_time() -> None:
    """The API, the workflow, the distribution and the keyset wait for CheckSettings."""
    for name in ("Api", "RotationStateMachine", "Distribution", "Keyset"):
        assert "CheckSettings" in dependencies(synthesized(), name)
    unchecked = mutated(_detach("Distribution"))
    assert "CheckSettings" not in dependencies(unchecked, "Distribution")


def test_the_authorizer_accepts_a_new_issuer_before_tokens_bear_it() -> None:
    """A change of DomainName updates the authorizer first: an update follows the order of creation."""
    assert "AuthorizeFunction" in dependencies(synthesized(), "IssueTokenFunction")
    unordered = mutated(_detach("IssueTokenFunction"))
    assert "AuthorizeFunction" not in dependencies(unordered, "IssueTokenFunction")
