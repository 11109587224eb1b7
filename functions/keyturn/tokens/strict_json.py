"""JSON as a token may contain it: a UTF-8 object, each member once, numbers that are numbers."""

import json
import math
from typing import Any

_SPACE = b" \t\n\r"  # RFC 8259 section 2


def loads(raw: bytes) -> dict[str, Any]:
    """The object in `raw`.

    Raises ValueError for a BOM or bad UTF-8, a duplicate member, NaN or an infinity (RFC 8259
    sections 4, 6, 8.1), a lone surrogate (RFC 7493 section 2.1), and anything but an object.
    """
    text = raw.strip(_SPACE).decode("utf-8")
    try:
        parsed, end = _QUICK.raw_decode(text)
        # One flat object has each member once if commas stand only before all members but the first.
        if text.rfind("{") or text.count(",") != len(parsed) - 1:
            parsed, end = _CAREFUL.raw_decode(text)
        if "\\" in text:
            json.dumps(parsed, ensure_ascii=False).encode("utf-8")  # a lone surrogate has no UTF-8
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if end != len(text) or type(parsed) is not dict:
        raise ValueError("not an object")
    return parsed


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


_QUICK = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
_CAREFUL = json.JSONDecoder(
    object_pairs_hook=_members, parse_constant=_refuse_constant, parse_float=_finite
)
