"""The policy that a key is created with, and when another text says the same.

tests/permissions/test_key_policy_table.py evaluates what it allows to whom.
"""

import json

import pytest

from keyturn.aws.keyset.key_policy import SIZE_LIMIT, is_same_policy, key_policy, role_prefix

PREFIX = "arn:aws:iam::123456789012:role/keyturn/us-east-1/demo/"
POLICY = key_policy(PREFIX)


def test_the_prefix_of_the_roles_follows_from_the_stack_s_arn():
    """It has partition, account, Region and name, as in template.yaml."""
    stack = "stack/demo/11111111-2222-3333-4444-555555555555"
    assert role_prefix(f"arn:aws:cloudformation:us-east-1:123456789012:{stack}") == PREFIX


def test_every_statement_for_all_principals_names_roles_of_this_account():
    """`Principal: *` without its condition would be the whole world."""
    for statement in json.loads(POLICY)["Statement"]:
        if statement["Principal"] == {"AWS": "*"}:
            condition = statement["Condition"]
            assert condition["StringEquals"]["kms:CallerAccount"] == "123456789012"
            for pattern in condition["ArnLike"]["aws:PrincipalArn"]:
                assert pattern.startswith(PREFIX)
                assert pattern.count("*") == 1
                assert pattern.endswith("FunctionRole/*")


def test_no_action_is_a_wildcard():
    """A new action of KMS is not allowed to anyone."""
    statements = json.loads(POLICY)["Statement"]
    assert not [
        action for statement in statements for action in statement["Action"] if "*" in action
    ]


def test_the_policy_fits():
    """This holds for the longest name of a stack."""
    assert len(key_policy(PREFIX.replace("demo", "k" * 128)).encode()) < SIZE_LIMIT


def edited(edit):
    """The policy after an edit of its statements."""
    policy = json.loads(POLICY)
    edit(policy["Statement"])
    return json.dumps(policy)


def _unwrap_action(statements):
    statements[0]["Action"] = "kms:Sign"


def _abbreviate_principal(statements):
    statements[0]["Principal"] = "*"


def _reverse(statements):
    statements.reverse()
    statements[0]["Action"].reverse()


@pytest.mark.parametrize("edit", [_unwrap_action, _abbreviate_principal, _reverse])
def test_the_same_policy_may_be_formatted_differently(edit):
    """KMS may change the order, omit brackets around one value, or write `*` for {"AWS": "*"}."""
    text = edited(edit)
    assert text != POLICY
    assert is_same_policy(text, POLICY)
    assert is_same_policy(json.dumps(json.loads(text), indent=3), POLICY)


def _add_statement(statements):
    statements.append({**statements[0], "Sid": "More"})


def _add_action(statements):
    statements[-1]["Action"].append("kms:Sign")


def _drop_condition(statements):
    del statements[0]["Condition"]["ArnLike"]


def _open_to_any_role(statements):
    statements[0]["Condition"]["ArnLike"]["aws:PrincipalArn"] = ["*"]


def _make_condition_optional(statements):
    condition = statements[0]["Condition"]
    condition["ArnLikeIfExists"] = condition.pop("ArnLike")


def _negate_action(statements):
    statements[0]["NotAction"] = statements[0].pop("Action")


@pytest.mark.parametrize(
    "edit",
    [
        *(_add_statement, _add_action, _drop_condition, _open_to_any_role),
        *(_make_condition_optional, _negate_action),
    ],
)
def test_a_policy_that_says_anything_else_is_not_the_same(edit):
    """One more word is enough, or one less."""
    assert not is_same_policy(edited(edit), POLICY)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", "[" * 100_000),
        POLICY.replace("{", '{"Id": 1, "Id": 2,', 1),
        POLICY.replace('"Action":', '"Action": "kms:*", "Action":', 1),
    ],
    ids=lambda text: text[:40],
)
def test_a_text_that_can_be_read_in_two_ways_is_not_the_same(text):
    """Of a duplicate member, KMS may read the one and we the other."""
    assert not is_same_policy(text, POLICY)
