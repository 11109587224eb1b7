"""Handing a role to a service is a permission of its own, and says to which service."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from tests.definition import ROOT
from tests.synthesized import Template, mutated, synthesized

EXAMPLES = sorted((ROOT / "examples").glob("*/template.yaml"))
_PASS_ROLE = "iam:passrole"  # IAM's action names are case-insensitive
_SERVICE = "iam:PassedToService"


def statements(node: Any) -> Iterator[Mapping[str, Any]]:
    """Every statement of every policy, wherever it stands."""
    if isinstance(node, dict):
        if "Effect" in node:
            yield node
        for part in node.values():
            yield from statements(part)
    elif isinstance(node, list):
        for part in node:
            yield from statements(part)


def passing_to_any_service(template: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statements that let a role be handed to whatever service may take it."""
    return [one for one in statements(template) if _passes_roles(one) and not _names_services(one)]


def _passes_roles(statement: Mapping[str, Any]) -> bool:
    actions = statement.get("Action", "*")  # NotAction: all others
    patterns = [actions] if isinstance(actions, str) else actions
    is_covered = any(fnmatchcase(_PASS_ROLE, pattern.lower()) for pattern in patterns)
    return bool(statement["Effect"] == "Allow" and is_covered)


def _names_services(statement: Mapping[str, Any]) -> bool:
    services = statement.get("Condition", {}).get("StringEquals", {}).get(_SERVICE, [])
    named = [services] if isinstance(services, str) else services
    return named != [] and not any("*" in service for service in named)


def a_function_that_passes(**statement: Any) -> Template:
    """The template in which ReconcileFunction's role may pass the schedule's."""

    def change(template: Template) -> None:
        properties = template["Resources"]["ReconcileFunctionRole"]["Properties"]
        granted = {"Effect": "Allow", "Resource": "arn:aws:iam::1:role/r", **statement}
        policy = {"PolicyName": "x", "PolicyDocument": {"Statement": [granted]}}
        properties["Policies"] = [*properties.get("Policies", ()), policy]

    return mutated(change)


def test_no_role_may_be_handed_to_any_service() -> None:
    """No role of the stack passes a role without `iam:PassedToService`; today none passes any.

    Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service".
    """
    assert passing_to_any_service(synthesized()) == []
    assert len(list(statements(synthesized()))) > 50


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "iam:PassRole"},
        {"Action": ["iam:GetRole", "iam:passrole"]},
        {"Action": "iam:Pass*"},
        {"Action": "*"},
        {"NotAction": "s3:*"},
        {"Action": "iam:PassRole", "Condition": {"StringLike": {_SERVICE: "*"}}},
        {"Action": "iam:PassRole", "Condition": {"StringEquals": {_SERVICE: ["*"]}}},
    ],
)
def test_a_role_that_may_is_noticed(statement: Mapping[str, Any]) -> None:
    """Under any spelling of the action, and with a condition that lets every service in."""
    assert len(passing_to_any_service(a_function_that_passes(**statement))) == 1
    good = {"StringEquals": {_SERVICE: "scheduler.amazonaws.com"}}
    assert passing_to_any_service(a_function_that_passes(**{**statement, "Condition": good})) == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.parent.name)
def test_no_example_hands_a_role_to_any_service(example: Any) -> None:
    """An example that others copy is no wider than what we deploy."""
    assert passing_to_any_service(cfn_yaml.load(str(example))) == []


def test_whoever_is_to_be_granted_it_is_told_for_which_service() -> None:
    """Every page and example that names the permission names the condition beside it."""
    pages = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.*"), ROOT / "README.md"]
    lines = [line for page in pages for line in page.read_text().splitlines()]
    naming = [line for line in lines if "PassRole" in line]
    assert naming
    assert [line for line in naming if _SERVICE not in line] == []
