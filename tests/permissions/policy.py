"""What IAM makes of a statement, for the operators that the template uses.

Source: IAM User Guide, "Policy evaluation logic" and "Condition operators". Only Allow statements: a
Deny, a Not… element or another operator is an error here, so that it is not overlooked.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

Context = Mapping[str, str | tuple[str, ...]]  # a tuple: a key with several values


@dataclass(frozen=True)
class Statement:
    """Allows these actions on these resources, if every condition holds."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]  # operator, key, values

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """A statement of a policy document."""
        unknown = document.keys() - {"Sid", "Effect", "Action", "Resource", "Condition"}
        if unknown or document["Effect"] != "Allow":
            raise NotImplementedError(str(document))
        return cls(
            tuple(_listed(document["Action"])),
            tuple(_listed(document["Resource"])),
            tuple(
                (operator, key, tuple(map(str, _listed(values))))
                for operator, keys in document.get("Condition", {}).items()
                for key, values in keys.items()
            ),
        )

    def allows(self, action: str, resource: str, context: Context) -> bool:
        """Whether this statement allows the call."""
        return (
            any(_is_like(action.lower(), pattern.lower()) for pattern in self.actions)
            and any(_is_like(resource, pattern) for pattern in self.resources)
            and all(_holds(condition, context) for condition in self.conditions)
        )


def allowed(
    statements: Iterable[Statement], action: str, resource: str, context: Context
) -> list[Statement]:
    """Those that allow the call."""
    return [s for s in statements if s.allows(action, resource, context)]


def _holds(condition: tuple[str, str, tuple[str, ...]], context: Context) -> bool:
    operator, key, values = condition
    if operator == "Null":
        [is_null] = values
        return (key not in context) == (is_null == "true")
    if operator == "ForAllValues:StringLike":  # true of a key that is not there, too
        return all(_is_any_like(text, values) for text in context.get(key, ()))
    if key not in context:
        return operator.endswith("IfExists")
    value = context[key]
    if not isinstance(value, str):
        raise NotImplementedError(f"{operator} of {key}, which has several values")
    match operator.removesuffix("IfExists"):
        case "StringEquals":
            return value in values
        case "StringLike":
            return _is_any_like(value, values)
        case "NumericGreaterThanEquals":
            return all(float(value) >= float(limit) for limit in values)
        case "ArnLike":  # the six parts of an ARN are compared one by one
            return any(_is_arn_like(value, pattern) for pattern in values)
        case "Bool":
            return value.lower() in values
    raise NotImplementedError(operator)


def _is_arn_like(arn: str, pattern: str) -> bool:
    parts, patterns = arn.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) and all(map(_is_like, parts, patterns))


def _is_any_like(text: str, patterns: Iterable[str]) -> bool:
    return any(_is_like(text, pattern) for pattern in patterns)


def _is_like(text: str, pattern: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.compile("".join(parts), re.DOTALL)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
