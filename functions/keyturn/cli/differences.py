"""Documents as rows of text, and the differences between two of them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Rows = Mapping[str, str]
_NOTHING = "–"


def rows(document: Mapping[str, Any] | None, defaults: Mapping[str, str]) -> Rows:
    """One row per member, in the order of `defaults`, which say what a missing member means.

    Members of an object have their own rows: `routes GET /orders`.
    """
    if document is None:
        return {}
    lines: dict[str, str] = {}
    for name, default in defaults.items():
        value = document.get(name, {})
        if isinstance(value, Mapping):
            lines |= {f"{name} {inner}": _text(value[inner]) for inner in sorted(value)}
            if not value:
                lines[name] = default
        else:
            lines[name] = _text(value)
    return lines


def differences(before: Rows, after: Rows) -> Iterator[str]:
    """The rows that differ, as `label  before → after`."""
    labels = dict.fromkeys([*before, *after])
    changed = [label for label in labels if before.get(label) != after.get(label)]
    width = max(map(len, changed), default=0)
    for label in changed:
        sides = f"{before.get(label, _NOTHING)} → {after.get(label, _NOTHING)}"
        yield f"{label:{width}}  {sides if before else after[label]}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(sorted(map(_word, value))) or _NOTHING
    return value or "no scope" if isinstance(value, str) else json.dumps(value)


def _word(text: str) -> str:
    """An item of a list, quoted if it contains a space."""
    return json.dumps(text, ensure_ascii=False) if " " in text else text
