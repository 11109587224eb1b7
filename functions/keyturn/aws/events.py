"""Lambda events at the edge: parsed with pydantic, refused by the field's name."""

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

_T = TypeVar("_T")


class InvalidEvent(ValueError):
    """An event that is not understood; the message names the field and never shows its value."""


def parse(adapter: TypeAdapter[_T], event: Any) -> _T:
    """`event` as the adapter's type; raises InvalidEvent."""
    try:
        return adapter.validate_python(event)
    except ValidationError as error:
        raise InvalidEvent(describe(error)) from None


def describe(error: ValidationError) -> str:
    """What is wrong, field by field, without the values."""
    problems = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'event'}: {problem['msg']}"
        for problem in problems
    )
