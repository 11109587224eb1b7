"""What it costs to refuse: every vector that anyone could send, through the whole handler.

A vector whose signature has to be verified before its fault shows is not among them: it takes a
key of ours to make one.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from keyturn.api import authorize
from keyturn.aws.stack import Stack
from keyturn.tokens.errors import TokenRefused
from tests.definition import ROOT
from tests.vectors.keys import Keys
from tests.vectors.recipe import NOW, load, make
from tests.vectors.worlds import World, rest_token
from tools.bench.rows import Row

_VECTORS = ROOT / "tests/vectors"
_NOT_TOKENS = {"authorization_headers", "authorizer_events"}
GARBAGE = {"missing", "too_large", "malformed", "header", "algorithm", "type", "unknown_kid"}
ROUNDS, CALLS = 8, 25


def rows() -> list[Row]:
    """The dearest refusal, held against accepting a token."""
    keys = Keys.generate()
    cases = [
        (case["name"], make(case, keys))
        for file in sorted(_VECTORS.glob("*.json"))
        if file.stem not in _NOT_TOKENS
        for case in load(file)
        if case.get("gateway", case["expect"]) in GARBAGE
    ]
    cases = [(name, token) for name, token in cases if not _is_signed(token, keys)]
    with _a_container(World(keys).stack(NOW)), _silence():
        cost = _microseconds({"": make({}, keys), **dict(cases)})
    good = cost.pop("")
    cheaper = sum(each < good for each in cost.values())
    dearest = max(cost, key=lambda name: cost[name])
    typical = sorted(cost.values())[len(cost) // 2]
    part = f"Refusing garbage, {len(cases)} named vectors, ratio to accepting a token"
    return [
        Row(part, "accept", 1.0, f"{good:.1f} µs"),
        Row(part, "refuse, median vector", typical / good, f"{typical:.1f} µs"),
        Row(
            part,
            f"refuse, dearest vector ({dearest})",
            cost[dearest] / good,
            f"{cost[dearest]:.1f} µs",
            "",
        ),
        Row(
            part,
            "vectors that are cheaper to refuse",
            None,
            f"{cheaper} of {len(cost)}",
            "all",
            cheaper == len(cost),
        ),
    ]


def _is_signed(token: str, keys: Keys) -> bool:
    """Whether the verifier gets as far as the signature."""
    world = World(keys)
    with suppress(TokenRefused):
        world.verify(token, NOW)
    return world.verifications > 0


def _microseconds(tokens: dict[str, str]) -> dict[str, float]:
    """The best of several rounds over all of them."""
    context, cost = SimpleNamespace(aws_request_id="request-1"), dict.fromkeys(tokens, 1e6)
    for _ in range(ROUNDS):
        for name, token in tokens.items():
            took = _turn(authorize.handler, rest_token(f"Bearer {token}"), context)
            cost[name] = min(cost[name], took * 1e6)
    return cost


def _turn(handler: Callable[..., Any], event: Any, context: Any) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        try:
            handler(event, context)
        except Exception:  # Unauthorized, which is what a REST API wants
            continue
    return (time.perf_counter() - began) / CALLS


@contextmanager
def _a_container(stack: Any) -> Iterator[None]:
    with patch.object(Stack, "from_environment", lambda: stack):
        yield


@contextmanager
def _silence() -> Iterator[None]:
    with Path(os.devnull).open("w", buffering=1) as nothing, patch.object(sys, "stdout", nothing):
        yield
