"""Creating a key with tags, whatever of the request IAM shows to `kms:TagResource`."""

from typing import Any

import pytest

from tests.account.resolve import Deployment
from tests.permissions.policy import Context, Statement, allowed
from tests.synthesized import Template, mutated, synthesized

STACK = {"aws:RequestTag/keyturn:stack": "keyturn"}
SPEC = {"kms:KeySpec": "RSA_2048", "kms:KeyUsage": "SIGN_VERIFY"}
KEYS = {"aws:TagKeys": ("keyturn:stack",)}
READINGS: dict[str, Context] = {
    "nothing of it": {},
    "the tags' keys": KEYS,
    "the tags": {**STACK, **KEYS},
    "the tags and the key": {**STACK, **KEYS, **SPEC},
}


def statements(template: Template) -> list[Statement]:
    """What the policy CreateKeys allows."""
    policy = Deployment(template).resources("AWS::IAM::ManagedPolicy")["CreateKeys"]
    return [Statement.from_document(text) for text in policy["PolicyDocument"]["Statement"]]


def denied_readings(template: Template) -> list[str]:
    """The readings of the documentation by which no key can be created."""
    return [
        reading
        for reading, context in READINGS.items()
        if not allowed(statements(template), "kms:TagResource", "*", context)
    ]


def _tagging(template: Template) -> dict[str, Any]:
    document = template["Resources"]["CreateKeys"]["Properties"]["PolicyDocument"]
    [statement] = [s for s in document["Statement"] if "kms:TagResource" in s["Action"]]
    result: dict[str, Any] = statement
    return result


def with_one_statement_for_both(template: Template) -> None:
    """As it was: `kms:TagResource` under the conditions of CreateKey."""
    _tagging(template)["Condition"] = {
        "StringEquals": {**SPEC, "aws:RequestTag/keyturn:stack": {"Ref": "AWS::StackName"}}
    }


def with_request_tags_required(template: Template) -> None:
    """StringEquals instead of StringEqualsIfExists."""
    condition = _tagging(template)["Condition"]
    condition["StringEquals"] = condition.pop("StringEqualsIfExists")


def test_a_key_can_be_created_under_every_reading() -> None:
    """IAM's reference offers RequestTag and TagKeys for TagResource, on a key that has no ARN yet.

    Neither KeySpec nor KeyUsage, and others report that not even the request's tags arrive. Source:
    Service Authorization Reference, "Actions, resources, and condition keys for AWS KMS"; KMS Developer
    Guide, "Condition keys for AWS KMS" (KeySpec "can never be satisfied" elsewhere).
    """
    assert denied_readings(dict(synthesized())) == []


@pytest.mark.parametrize(
    ("mutant", "denied"),
    [
        (with_one_statement_for_both, ["nothing of it", "the tags' keys", "the tags"]),
        (with_request_tags_required, ["nothing of it", "the tags' keys"]),
    ],
)
def test_a_statement_for_one_reading_is_noticed(mutant, denied: list[str]) -> None:
    """The check names the readings under which the statement fails."""
    assert denied_readings(mutated(mutant)) == denied


@pytest.mark.parametrize(
    ("context", "may"),
    [
        ({**STACK, "aws:TagKeys": ("keyturn:stack", "keyturn:op_id")}, True),
        ({"aws:RequestTag/keyturn:stack": "another", **KEYS}, False),
        ({"aws:TagKeys": ("team",)}, False),
        ({**STACK, "aws:TagKeys": ("keyturn:stack", "team")}, False),
    ],
)
def test_no_other_tag_can_be_set(context: Context, may: bool) -> None:
    """If IAM shows the tags: this stack's own keys, and no others."""
    ours = statements(dict(synthesized()))
    assert bool(allowed(ours, "kms:TagResource", "*", context)) is may


def test_tagging_without_limits_is_noticed() -> None:
    """A statement without conditions would hold under every reading, too."""

    def unlimit(template: Template) -> None:
        del _tagging(template)["Condition"]

    unlimited = statements(mutated(unlimit))
    assert allowed(unlimited, "kms:TagResource", "*", {"aws:TagKeys": ("team",)})


@pytest.mark.parametrize(
    "context", [{}, SPEC, STACK, {**STACK, **SPEC, "kms:KeySpec": "ECC_NIST_P256"}]
)
def test_create_key_itself_stays_narrow(context: Context) -> None:
    """CreateKey, all of whose conditions are documented, requires the spec, the usage and the stack's tag."""
    assert not allowed(statements(dict(synthesized())), "kms:CreateKey", "*", context)
