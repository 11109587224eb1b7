"""Seeded mutations of JSON values, for the parsers of untrusted input."""

import copy
import random
from collections.abc import Iterator
from typing import Any

STRANGE: tuple[Any, ...] = (
    "9999-12-31T23:59:59-23:59",
    *(None, True, False, 0, -1, 5, 10**12, 10**40, 1.5, float("nan"), float("inf")),
    *("", "x", "٣", "²", "\ud800", "\x00", "9" * 13, "A" * 5000),
    *([], [[]], ["x"], {}, {"": None}, {"keys": 5}),
)


def mutations(value: Any, seed: int, count: int) -> Iterator[Any]:
    """`count` copies of a JSON value, each with one to three of its parts replaced or removed."""
    source = random.Random(seed)
    for _ in range(count):
        mutated = copy.deepcopy(value)
        for _ in range(source.randint(1, 3)):
            mutated = _mutated(mutated, source)
        yield mutated


def _mutated(value: Any, source: random.Random) -> Any:
    members = list(value) if isinstance(value, dict) else _indices(value)
    if not members or source.random() < 0.2:
        return copy.deepcopy(source.choice(STRANGE))
    member = source.choice(members)
    if source.random() < 0.2:
        del value[member]
    else:
        value[member] = _mutated(value[member], source)
    return value


def _indices(value: Any) -> list[int]:
    return list(range(len(value))) if isinstance(value, list) else []
