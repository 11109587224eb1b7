"""What fifty cut-offs of all kinds cost an authorization: the handler with and without, in turns.

None of them hits, so every kind is looked up. Both containers are warm, and the best turn of each counts.
"""

import json
import sys
import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from keyturn.api import authorize
from keyturn.aws.stack import Stack
from tests.vectors.keys import Keys
from tests.vectors.recipe import NOW, make
from tests.vectors.worlds import World, cutoffs, rest_token
from tools.bench.process import measure_alone
from tools.bench.rows import Row, at_most

CUT_OFFS, TOKENS = 50, 20
TURNS = 3_000  # of less than a millisecond: the best of them were not interrupted
CLAIMS = ("client_id", "sub", "jti")
STANDING = cutoffs(
    {(CLAIMS[number % 3], f"revoked-{number}"): NOW + 1 for number in range(CUT_OFFS)}
)


def measure() -> dict[str, float]:
    """Seconds per token, by the number of cut-offs, and the calls that the warm containers made."""
    keys = Keys.generate()
    worlds = {0: World(keys), CUT_OFFS: World(keys, cutoffs=STANDING)}
    stacks: dict[int, Any] = {number: world.stack(NOW) for number, world in worlds.items()}
    events = [
        rest_token(f"Bearer {make({'payload': {'set': {'jti': f'id-{number}'}}}, keys)}")
        for number in range(TOKENS)
    ]
    context = SimpleNamespace(aws_request_id="request-1")
    best, cold = dict.fromkeys(worlds, 1.0), dict.fromkeys(worlds, 0)
    for turn in range(TURNS + 1):
        for number, stack in stacks.items():
            with patch.object(Stack, "from_environment", lambda stack=stack: stack):
                began = time.perf_counter()
                for event in events:
                    authorize.handler(event, context)
                seconds = (time.perf_counter() - began) / TOKENS
            if turn:
                best[number] = min(best[number], seconds)
            else:
                cold[number] = worlds[number].calls
    calls = sum(world.calls - cold[number] for number, world in worlds.items())
    return {"without": best[0], "with": best[CUT_OFFS], "calls": calls}


def rows() -> list[Row]:
    """What a process of its own measures."""
    figures = measure_alone("tools.bench.cutoffs")
    part = "One authorization beside cut-offs of clients, subjects and tokens, ratio to without"
    without, beside, calls = figures["without"], figures["with"], figures["calls"]
    told = f"{beside * 1e6:.1f} µs"
    return [
        Row(part, "no cut-off", 1.0, f"{without * 1e6:.1f} µs"),
        at_most(part, f"{CUT_OFFS} cut-offs", beside / without, 1.05, told),
        Row(part, "AWS calls when warm", None, f"{calls}", "0", calls == 0),
    ]


if __name__ == "__main__":
    print(json.dumps(measure()), file=sys.stderr)
