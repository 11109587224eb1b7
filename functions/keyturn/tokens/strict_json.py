"""Strict JSON: a UTF-8 object with unique members and finite numbers."""

import json
import math
from json.scanner import make_scanner
from typing import Any

_SPACE = b" \t\n\r"  # RFC 8259 section 2


def loads(raw: bytes) -> dict[str, Any]:
    """The object in `raw`.

    Raises ValueError for a BOM or bad UTF-8, a duplicate member, NaN or an infinity (RFC 8259
    sections 4, 6, 8.1), a lone surrogate (RFC 7493 section 2.1), and anything but an object.
    """
    text = raw.strip(_SPACE).decode("utf-8")
    try:
        parsed, end = _scan(text, 0)
        # In a flat object there is a comma before each member but the first. If there are exactly
        # that many commas, no member occurs twice; otherwise scan again for duplicates.
        if text.rfind("{") or text.count(",") != len(parsed) - 1:
            parsed, end = _scan_unique(text, 0)
        if "\\" in text:
            json.dumps(parsed, ensure_ascii=False).encode("utf-8")  # a lone surrogate has no UTF-8
    except StopIteration:
        raise ValueError("not JSON") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if end != len(text) or type(parsed) is not dict:
        raise ValueError("not an object")
    return parsed


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate member")
    return members


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _parse_finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def _make_scan(**hooks: Any) -> make_scanner:
    decoder: Any = json.JSONDecoder(
        parse_constant=_refuse_constant, parse_float=_parse_finite, **hooks
    )
    return make_scanner(decoder)


_scan, _scan_unique = _make_scan(), _make_scan(object_pairs_hook=_unique_members)
