"""The policy that a key is born with: what it says, and when another one says the same."""

import json

import pytest

from keyturn.aws.keyset.key_policy import SIZE_LIMIT, is_same_policy, key_policy, role_prefix

ACCOUNT = "123456789012"
PREFIX = f"arn:aws:iam::{ACCOUNT}:role/keyturn/us-east-1/demo/"
POLICY = key_policy(PREFIX)


def _statement(name):
    [statement] = [one for one in json.loads(POLICY)["Statement"] if one["Sid"] == name]
    return statement


def test_the_prefix_of_the_roles_follows_from_the_stacks_arn():
    """Partition, account, Region and name, as template.yaml puts them together."""
    arn = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/demo/11111111-2222-3333-4444-555555555555"
    assert role_prefix(arn) == PREFIX


def test_signing_is_for_one_role_and_one_algorithm():
    """By a statement that grants, not by one that hands over to IAM."""
    sign = _statement("Sign")
    assert sign["Principal"] == {"AWS": "*"}
    assert sign["Action"] == ["kms:Sign"]
    assert sign["Condition"] == {
        "StringEquals": {
            "kms:CallerAccount": ACCOUNT,
            "kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256",
        },
        "ArnLike": {"aws:PrincipalArn": [f"{PREFIX}IssueTokenFunctionRole/*"]},
    }


def test_every_statement_for_all_principals_is_narrowed_to_roles_of_this_account():
    """`Principal: *` without its condition would be the whole world."""
    for statement in json.loads(POLICY)["Statement"]:
        if statement["Principal"] == {"AWS": "*"}:
            condition = statement["Condition"]
            assert condition["StringEquals"]["kms:CallerAccount"] == ACCOUNT
            for pattern in condition["ArnLike"]["aws:PrincipalArn"]:
                assert pattern.startswith(PREFIX)
                assert pattern.count("*") == 1
                assert pattern.endswith("FunctionRole/*")


def test_iam_is_given_recovery_and_nothing_by_which_a_key_is_used_or_lent():
    """The one statement whose principal is the account."""
    recover = _statement("Recover")
    assert recover["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert {"kms:DisableKey", "kms:CancelKeyDeletion", "kms:PutKeyPolicy"} <= set(recover["Action"])
    assert not {"kms:Sign", "kms:CreateGrant", "kms:ReplicateKey"} & set(recover["Action"])
    assert not [action for action in recover["Action"] if "*" in action]


def test_it_fits():
    """Also for the longest name of a stack."""
    assert len(key_policy(PREFIX.replace("demo", "k" * 128)).encode()) < SIZE_LIMIT


def _rewritten(change):
    policy = json.loads(POLICY)
    change(policy)
    return json.dumps(policy)


def _unwrap(policy):
    policy["Statement"][0]["Action"] = "kms:Sign"


def _abbreviate(policy):
    policy["Statement"][0]["Principal"] = "*"


def _reverse(policy):
    policy["Statement"].reverse()
    policy["Statement"][0]["Action"].reverse()


@pytest.mark.parametrize("change", [_unwrap, _abbreviate, _reverse])
def test_the_same_policy_may_be_written_otherwise(change):
    """In another order, without brackets around one value, `*` in the place of {"AWS": "*"}."""
    rewritten = _rewritten(change)
    assert rewritten != POLICY
    assert is_same_policy(rewritten, POLICY)
    assert is_same_policy(json.dumps(json.loads(rewritten), indent=3), POLICY)


def _add_statement(policy):
    policy["Statement"].append({**policy["Statement"][0], "Sid": "More"})


def _add_action(policy):
    policy["Statement"][-1]["Action"].append("kms:Sign")


def _drop_condition(policy):
    del policy["Statement"][0]["Condition"]["ArnLike"]


def _widen(policy):
    policy["Statement"][0]["Condition"]["ArnLike"]["aws:PrincipalArn"] = ["*"]


def _loosen(policy):
    condition = policy["Statement"][0]["Condition"]
    condition["ArnLikeIfExists"] = condition.pop("ArnLike")


def _negate(policy):
    policy["Statement"][0]["NotAction"] = policy["Statement"][0].pop("Action")


@pytest.mark.parametrize(
    "change", [_add_statement, _add_action, _drop_condition, _widen, _loosen, _negate]
)
def test_another_policy_is_another(change):
    """One word more, or one less."""
    assert not is_same_policy(_rewritten(change), POLICY)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, POLICY.replace("{", '{"Id": 1, "Id": 2,', 1)])  # fmt: skip
def test_what_is_no_policy_is_not_the_same(text):
    """Nor is one that says something twice: who knows which of the two counts."""
    assert not is_same_policy(text, POLICY)


def test_a_member_told_twice_is_another_policy():
    """A reader that takes the last of two would believe what KMS may not."""
    twice = POLICY.replace('"Action":', '"Action": "kms:*", "Action":', 1)
    assert json.loads(twice) == json.loads(POLICY)
    assert not is_same_policy(twice, POLICY)
