"""Lambda events at the edge: parsed with pydantic, refused by the field's name."""

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_T = TypeVar("_T")


class InvalidEvent(ValueError):
    """An event that is not understood; the message names the field and never shows its value."""


def parse(adapter: TypeAdapter[_T], event: Any) -> _T:
    """`event` as the adapter's type; raises InvalidEvent."""
    try:
        return adapter.validate_python(event)
    except ValidationError as error:
        tagged = adapter.core_schema["type"] == "tagged-union"
        raise InvalidEvent(describe(error, tagged=tagged)) from None


def describe(error: ValidationError, *, tagged: bool = False) -> str:
    """What is wrong, field by field, without the values; a union's tag is no field."""
    problems = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{_field(problem, tagged)}: {_said(problem)}" for problem in problems)


def _said(problem: "ErrorDetails") -> str:
    if problem["type"] == "union_tag_invalid":  # pydantic's own words show the value
        return f"Input should be one of {problem['ctx']['expected_tags']}"
    return problem["msg"]


def _field(problem: "ErrorDetails", tagged: bool) -> str:
    if problem["type"].startswith("union_tag_"):
        return str(problem["ctx"]["discriminator"]).strip("'")
    parts = problem["loc"][1:] if tagged else problem["loc"]
    return ".".join(str(part) for part in parts) or "event"
