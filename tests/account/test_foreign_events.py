"""Events that others put on the bus change nothing.

Source: EventBridge API Reference, PutEvents: a `source` that begins with `aws.` is refused
(`NotAuthorizedForSourceException`); any other can be sent by whoever has `events:PutEvents`.
"""

from typing import Any

import pytest

from keyturn.aws.event_bus import SOURCE
from tests.account.resolve import Deployment
from tests.synthesized import Template, mutated, synthesized


def doors(template: Template) -> list[str]:
    """The rules by which an event that anybody can send has a function, or anything but people, act."""
    rules = Deployment(template).resources("AWS::Events::Rule")
    return [
        name
        for name, rule in rules.items()
        if not _is_of_aws(rule["EventPattern"]) and not _tells_people_only(rule)
    ]


def _is_of_aws(pattern: dict[str, Any]) -> bool:
    sources = pattern.get("source", [])
    return bool(sources) and all(
        isinstance(source, str) and source.startswith("aws.") for source in sources
    )


def _tells_people_only(rule: dict[str, Any]) -> bool:
    return [target["Arn"] for target in rule["Targets"]] == ["<Alerts>"]


def test_nothing_but_people_listens_to_what_anybody_can_send() -> None:
    """The functions listen to SSM and to Step Functions."""
    assert doors(dict(synthesized())) == []


@pytest.mark.parametrize("sources", [[SOURCE], ["aws.ssm", "keyturn"], [{"prefix": "aws."}], []])
def test_a_rule_for_our_own_events_is_noticed(sources: list[Any]) -> None:
    """It is noticed beside another source as well, and where the source is not compared by its exact text."""

    def listen(template: Template) -> None:
        rule = template["Resources"]["RecordChangesFunctionGeneration"]["Properties"]
        rule["EventPattern"]["source"] = sources

    assert doors(mutated(listen)) == ["RecordChangesFunctionGeneration"]


def test_people_are_told_by_a_topic_that_has_no_function() -> None:
    """A forged event is a mail, and nothing acts on it."""
    resources = synthesized()["Resources"].values()
    subscriptions = [r["Properties"] for r in resources if r["Type"] == "AWS::SNS::Subscription"]
    assert [one["Protocol"] for one in subscriptions] == ["email"]
