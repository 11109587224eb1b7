"""Who may do what with a KMS key: its key policy first, and IAM where the key policy hands over to it.

Source: KMS Developer Guide, "Key policies", "Default key policy" (the account as principal lets IAM decide,
and lets nobody in by itself), "Examining the key policy" (`*` gives to every identity of every account, and
those of other accounts need IAM as well), "Condition keys" (CallerAccount). Grants come on top.
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tests.permissions.policy import Context, Statement

ACCOUNT = "123456789012"
ELSEWHERE = "999999999999"
EVERYTHING = Statement(("*",), ("*",), ())


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: its ARN as `aws:PrincipalArn` has it, and what IAM lets it do."""

    arn: str
    iam: tuple[Statement, ...] = ()

    @property
    def account(self) -> str:
        """The account that it belongs to."""
        return self.arn.split(":")[4]


@dataclass(frozen=True)
class KeyPolicy:
    """A key's policy and its grants (who, action), in the account that owns the key."""

    text: str
    grants: frozenset[tuple[str, str]] = field(default=frozenset())

    def allows(self, principal: Principal, action: str, arn: str, context: Context) -> bool:
        """Whether the principal may do this with the key of this ARN."""
        known = {
            "aws:PrincipalArn": principal.arn,
            "kms:CallerAccount": principal.account,
            **context,
        }
        by_iam = any(statement.allows(action, arn, known) for statement in principal.iam)
        if (principal.arn, action) in self.grants:
            return True
        for principals, statement in _statements(self.text):
            if not statement.allows(action, "*", known):
                continue
            if _names(principals, principal) and (by_iam or principal.account == ACCOUNT):
                return True
            if f"arn:aws:iam::{principal.account}:root" in principals and by_iam:
                return True
        return False


def _names(principals: tuple[str, ...], principal: Principal) -> bool:
    return "*" in principals or principal.arn in principals


@lru_cache(maxsize=256)
def _statements(text: str) -> tuple[tuple[tuple[str, ...], Statement], ...]:
    """The principals of each statement, and the rest of it."""
    return tuple(
        (
            _principals(document["Principal"]),
            Statement.from_document(
                {name: part for name, part in document.items() if name != "Principal"}
            ),
        )
        for document in json.loads(text)["Statement"]
    )


def _principals(element: Any) -> tuple[str, ...]:
    match element:
        case "*":
            return ("*",)
        case {"AWS": str(one), **others} if not others:
            return (one,)
        case {"AWS": [*several], **others} if not others:
            return tuple(several)
    raise NotImplementedError(f"principal {element}")


def default_policy() -> str:
    """What KMS gives to a key that is created without a policy: IAM decides."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
