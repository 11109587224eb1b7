"""What IAM makes of a statement, for the operators that the template uses.

Source: IAM User Guide, "Policy evaluation logic" and "Condition operators". Only Allow statements: a
Deny, a Not… element or another operator is an error here, so that it is not overlooked.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

Context = Mapping[str, str]


@dataclass(frozen=True)
class Statement:
    """Allows these actions on these resources, if every condition holds."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]  # operator, key, values

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
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
    if key not in context:
        return operator.endswith("IfExists")
    match operator.removesuffix("IfExists"):
        case "StringEquals":
            return context[key] in values
        case "StringLike":
            return any(_is_like(context[key], pattern) for pattern in values)
        case "NumericGreaterThanEquals":
            return all(float(context[key]) >= float(value) for value in values)
        case "Bool":
            return context[key].lower() in values
    raise NotImplementedError(operator)


def _is_like(text: str, pattern: str) -> bool:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
