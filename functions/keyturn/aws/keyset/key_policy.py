"""The policy that a signing key is created with: it alone says who may do what with the key.

The key policy grants each role its actions, so the roles have no IAM statements for KMS, and no
permissions on other teams' keys. `Principal: *` with a condition on the caller's account and ARN
grants directly. `Principal: <account>` delegates to IAM, and only for actions with which
administrators recover a key (KMS Developer Guide, "Key policies"; docs/decisions/0019).

Roles are identified by their paths, which template.yaml sets. A new stack of the same name has
different roles with the same paths, so it can use the keys that the previous stack left.
"""

import json
from collections.abc import Mapping
from typing import Any

from keyturn.tokens import strict_json

SIZE_LIMIT = 32_768  # bytes; AWS KMS API Reference, CreateKey, Policy
_CREATOR_ROLES = ("CreateKeyFunctionRole", "ReplaceKeysFunctionRole", "ReconcileFunctionRole")
_DESTROYER_ROLES = ("DestroyKeyFunctionRole", "ReconcileFunctionRole", "KeysetFunctionRole")

# By statement: the actions, and the roles that may perform them (logical ids in template.yaml).
GRANTS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Sign": (("kms:Sign",), ("IssueTokenFunctionRole",)),
    "ReadPublicKey": (
        ("kms:GetPublicKey",),
        ("AuthorizeFunctionRole", "PublishJwksFunctionRole", "KeysetFunctionRole", *_CREATOR_ROLES),
    ),
    "Recognize": (
        ("kms:GetKeyPolicy", "kms:ListGrants"),
        ("KeysetFunctionRole", *_CREATOR_ROLES),
    ),
    "Disable": (
        ("kms:DescribeKey", "kms:DisableKey"),
        ("DisableKeysFunctionRole", *_DESTROYER_ROLES),
    ),
    "Destroy": (("kms:ScheduleKeyDeletion",), _DESTROYER_ROLES),
}
# What IAM may grant: inspecting, disabling and recovering a key, not signing or CreateGrant.
RECOVERY = (
    "kms:CancelKeyDeletion",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:GetKeyPolicy",
    "kms:GetPublicKey",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:Verify",
)


def role_prefix(stack_arn: str) -> str:
    """The prefix of the ARNs of a stack's roles, as in template.yaml, from the stack's own ARN."""
    _, partition, _, region, account, resource = stack_arn.split(":")
    return f"arn:{partition}:iam::{account}:role/keyturn/{region}/{resource.split('/')[1]}/"


def key_policy(prefix: str) -> str:
    """The policy, as JSON, of every key of the stack whose roles' ARNs begin with `prefix`."""
    _, partition, _, _, account, _ = prefix.split(":")
    statements = [
        _grant(name, actions, account, [f"{prefix}{role}/*" for role in roles])
        for name, (actions, roles) in GRANTS.items()
    ]
    recovery = {
        "Sid": "Recover",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
        "Action": list(RECOVERY),
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [*statements, recovery]})


def is_same_policy(left: str, right: str) -> bool:
    """Whether two policies are equivalent; False if either is not a JSON object.

    KMS does not promise to preserve white space, order or the brackets around a single value.
    """
    try:
        texts = (strict_json.loads(text.encode()) for text in (left, right))
        return len({json.dumps(_canonical(text), sort_keys=True) for text in texts}) == 1
    except (ValueError, RecursionError):
        return False


def _grant(name: str, actions: tuple[str, ...], account: str, roles: list[str]) -> dict[str, Any]:
    condition: dict[str, Any] = {
        "StringEquals": {"kms:CallerAccount": account},
        "ArnLike": {"aws:PrincipalArn": roles},
    }
    if name == "Sign":
        condition["StringEquals"]["kms:SigningAlgorithm"] = "RSASSA_PKCS1_V1_5_SHA_256"
    return {
        "Sid": name,
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": list(actions),
        "Resource": "*",
        "Condition": condition,
    }


def _canonical(node: Any) -> Any:
    """A canonical form: lists are sets, a single value is a set of one, `*` equals {"AWS": "*"}."""
    if isinstance(node, dict):
        members = {**node, "Principal": {"AWS": "*"}} if node.get("Principal") == "*" else node
        return {name: _canonical(part) for name, part in members.items()}
    items = node if isinstance(node, list) else [node]
    parts = (_canonical(item) if isinstance(item, dict) else item for item in items)
    return sorted({json.dumps(part, sort_keys=True) for part in parts})
