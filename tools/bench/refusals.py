"""What it costs to refuse: every vector that anyone could send, through the whole handler.

A vector whose signature has to be verified before its fault shows is not among them: it takes a
key of ours to make one.
"""

import os
import time
from collections.abc import Mapping
from contextlib import redirect_stdout, suppress
from pathlib import Path
from statistics import median_high
from typing import Any

from keyturn.api import authorize
from keyturn.tokens.errors import TokenRefused
from tests.definition import ROOT
from tests.vectors.keys import Keys
from tests.vectors.recipe import NOW, load, make
from tests.vectors.worlds import World, rest_token
from tools.bench.process import CONTEXT, container
from tools.bench.rows import Part, Row

_VECTORS = ROOT / "tests/vectors"
_NOT_TOKENS = {"authorization_headers", "authorizer_events"}
GARBAGE = {"missing", "too_large", "malformed", "header", "algorithm", "type", "unknown_kid"}
ROUNDS, CALLS = 8, 25


def rows() -> list[Row]:
    """The dearest refusal, compared with accepting a token."""
    keys = Keys.generate()
    cases = [
        (case["name"], make(case, keys))
        for file in sorted(_VECTORS.glob("*.json"))
        if file.stem not in _NOT_TOKENS
        for case in load(file)
        if case.get("gateway", case["expect"]) in GARBAGE
    ]
    tokens = {name: token for name, token in cases if not _needs_signature(token, keys)}
    with (
        Path(os.devnull).open("w", buffering=1) as nothing,
        redirect_stdout(nothing),
        container(World(keys).stack(NOW)),
    ):
        cost = _microseconds({"": make({}, keys), **tokens})
    good = cost.pop("")
    cheaper = sum(each < good for each in cost.values())
    dearest = max(cost, key=lambda name: cost[name])
    typical = median_high(cost.values())
    part = Part(f"Refusing garbage, {len(tokens)} named vectors, ratio to accepting a token")
    part.add("accept", f"{good:.1f} µs", 1.0)
    part.add("refuse, median vector", f"{typical:.1f} µs", typical / good)
    part.add(f"refuse, dearest vector ({dearest})", f"{cost[dearest]:.1f} µs", cost[dearest] / good)
    all_cheaper = cheaper == len(cost)
    part.add(
        "vectors that are cheaper to refuse",
        f"{cheaper} of {len(cost)}",
        goal="all",
        reached=all_cheaper,
    )
    return part.rows


def _needs_signature(token: str, keys: Keys) -> bool:
    """Whether the verifier gets as far as the signature."""
    world = World(keys)
    with suppress(TokenRefused):
        world.verify(token, NOW)
    return world.verifications > 0


def _microseconds(tokens: Mapping[str, str]) -> dict[str, float]:
    """The best of several rounds over all of them."""
    cost = dict.fromkeys(tokens, 1e6)
    for _ in range(ROUNDS):
        for name, token in tokens.items():
            seconds = _turn(rest_token(f"Bearer {token}"))
            cost[name] = min(cost[name], seconds * 1e6)
    return cost


def _turn(event: Any) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        try:
            authorize.handler(event, CONTEXT)
        except Exception:  # Unauthorized, which is what a REST API expects
            continue
    return (time.perf_counter() - began) / CALLS
