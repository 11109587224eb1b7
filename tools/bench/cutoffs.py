"""What fifty cut-offs of all kinds cost an authorization: the handler with and without, in turns.

None of them hits, so every kind is looked up. Both containers are warm, and the best turn of each counts.
"""

import json
import sys
import time
from typing import Any

from keyturn.api import authorize
from tests.vectors.keys import Keys
from tests.vectors.recipe import NOW, make
from tests.vectors.worlds import World, cutoffs, rest_token
from tools.bench.process import CONTEXT, container, measure_alone
from tools.bench.rows import Part, Row

CUT_OFFS, TOKENS = 50, 20
TURNS = 3_000  # of less than a millisecond: the best of them were not interrupted
CLAIMS = ("client_id", "sub", "jti")
STANDING = cutoffs(
    {(CLAIMS[number % 3], f"revoked-{number}"): NOW + 1 for number in range(CUT_OFFS)}
)


def measure() -> dict[str, float]:
    """Seconds per token without and with cut-offs, and the calls that the warm containers made."""
    keys = Keys.generate()
    worlds = {"without": World(keys), "with": World(keys, cutoffs=STANDING)}
    stacks: dict[str, Any] = {name: world.stack(NOW) for name, world in worlds.items()}
    events = [
        rest_token(f"Bearer {make({'payload': {'set': {'jti': f'id-{number}'}}}, keys)}")
        for number in range(TOKENS)
    ]

    def turn(stack: Any) -> float:
        with container(stack):
            began = time.perf_counter()
            for event in events:
                authorize.handler(event, CONTEXT)
            return (time.perf_counter() - began) / TOKENS

    for stack in stacks.values():
        turn(stack)
    cold = sum(world.calls for world in worlds.values())
    best = dict.fromkeys(worlds, 1.0)
    for _ in range(TURNS):
        for name, stack in stacks.items():
            best[name] = min(best[name], turn(stack))
    return {**best, "calls": sum(world.calls for world in worlds.values()) - cold}


def rows() -> list[Row]:
    """What a process of its own measures."""
    figures = measure_alone("tools.bench.cutoffs")
    without, beside, calls = figures["without"], figures["with"], figures["calls"]
    part = Part(
        "One authorization beside cut-offs of clients, subjects and tokens, ratio to without"
    )
    part.add("no cut-off", f"{without * 1e6:.1f} µs", 1.0)
    part.add_ratio(f"{CUT_OFFS} cut-offs", f"{beside * 1e6:.1f} µs", beside / without, at_most=1.05)
    part.add("AWS calls when warm", f"{calls}", goal="0", reached=calls == 0)
    return part.rows


if __name__ == "__main__":
    print(json.dumps(measure()), file=sys.stderr)
