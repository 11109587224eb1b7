"""A warm authorizer's memory while a million different tokens pass: half good, half made up.

The good ones are too many to sign: their signatures are not checked here, all else is.
"""

import base64
import gc
import json
import resource
import sys
from pathlib import Path
from types import SimpleNamespace

from keyturn.api import authorize
from keyturn.tokens import jws
from keyturn.tokens.base64url import encode
from tests.vectors.keys import Keys
from tests.vectors.recipe import NOW, make
from tests.vectors.worlds import World, rest_token
from tools.bench.cutoffs import STANDING
from tools.bench.process import CONTEXT, container, measure_alone
from tools.bench.rows import Part, Row

TOKENS, WARM_UP = 1_000_000, 50_000
ALLOWED = 1.0  # MiB, for what the interpreter's own allocator does


def measure() -> dict[str, float]:
    """MiB before and after."""
    keys = Keys.generate()
    stack = World(keys, cutoffs=STANDING).stack(NOW)
    trusting = SimpleNamespace(verify=lambda *_: None)  # finds every signature good
    stack.public_keys = SimpleNamespace(get=lambda _key: trusting)
    header, payload, signature = make({}, keys).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    def show(number: int) -> None:
        if number % 2:
            segment = encode(json.dumps({**claims, "jti": f"id-{number}"}).encode())
            signed = f"{header}.{segment}"
        else:
            signed = jws.build_signing_input(f"made-up-{number}", claims)
        try:
            authorize.handler(rest_token(f"Bearer {signed}.{signature}"), CONTEXT)
        except Exception:  # Unauthorized
            assert number % 2 == 0

    with container(stack):
        for number in range(WARM_UP):
            show(number)
        before = _resident()
        for number in range(WARM_UP, TOKENS):
            show(number)
    return {"before": before, "after": _resident()}


def _resident() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def rows() -> list[Row]:
    """What a process of its own measures."""
    figures = measure_alone("tools.bench.memory")
    growth = figures["after"] - figures["before"]
    part = Part(
        f"Memory of a warm authorizer, {TOKENS:,} different tokens, {len(STANDING)} cut-offs"
    )
    part.add("resident before", f"{figures['before']:.1f} MiB")
    part.add(
        "grown by", f"{growth:.2f} MiB", goal=f"≤ {ALLOWED:.0f} MiB", reached=growth <= ALLOWED
    )
    return part.rows


if __name__ == "__main__":
    print(json.dumps(measure()), file=sys.stderr)
