"""Parse Lambda events with pydantic; errors name the invalid field."""

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_T = TypeVar("_T")


class InvalidEvent(ValueError):
    """An invalid event; the message names the field and never shows its value."""


def parse(adapter: TypeAdapter[_T], event: Any) -> _T:
    """`event` as the adapter's type; raises InvalidEvent."""
    try:
        return adapter.validate_python(event)
    except ValidationError as error:
        is_union = adapter.core_schema["type"] == "tagged-union"
        raise InvalidEvent(describe(error, is_union=is_union)) from None


def describe(error: ValidationError, *, is_union: bool = False) -> str:
    """The problems, field by field, without values; a union's tag is not shown as a field."""
    problems = error.errors(include_input=False, include_url=False)
    return "; ".join(
        f"{_name_field(problem, is_union)}: {_describe_problem(problem)}" for problem in problems
    )


def _describe_problem(problem: "ErrorDetails") -> str:
    if problem["type"] == "union_tag_invalid":  # pydantic's own message shows the value
        return f"Input should be one of {problem['ctx']['expected_tags']}"
    return problem["msg"]


def _name_field(problem: "ErrorDetails", is_union: bool) -> str:
    if problem["type"].startswith("union_tag_"):
        return str(problem["ctx"]["discriminator"]).strip("'")
    parts = problem["loc"][1:] if is_union else problem["loc"]
    return ".".join(str(part) for part in parts) or "event"
