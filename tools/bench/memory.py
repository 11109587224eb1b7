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
from typing import Any
from unittest.mock import patch

from keyturn.api import authorize
from keyturn.aws.stack import Stack
from keyturn.tokens import jws
from tests.vectors.keys import Keys
from tests.vectors.recipe import NOW, make
from tests.vectors.worlds import World, rest_token
from tools.bench.cutoffs import STANDING
from tools.bench.process import measure_alone
from tools.bench.rows import Row

TOKENS, WARM_UP = 1_000_000, 50_000
ALLOWED = 1.0  # MiB, for what the interpreter's own allocator does
_PAGE = resource.getpagesize()


class _Trusting:
    """A public key that finds every signature good."""

    def verify(self, *_: object) -> None:
        """Say nothing."""


def measure() -> dict[str, float]:
    """MiB before and after."""
    keys = Keys.generate()
    stack = World(keys, cutoffs=STANDING).stack(NOW)
    stack.public_keys = SimpleNamespace(get=lambda _key: _Trusting())
    header, payload, signature = make({}, keys).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    context = SimpleNamespace(aws_request_id="request-1")

    def show(number: int) -> None:
        if number % 2:
            signed = f"{header}.{_segment({**claims, 'jti': f'id-{number}'})}"
        else:
            signed = jws.build_signing_input(f"made-up-{number}", claims)
        try:
            authorize.handler(rest_token(f"Bearer {signed}.{signature}"), context)
        except Exception:  # Unauthorized
            assert number % 2 == 0

    with patch.object(Stack, "from_environment", lambda: stack):
        for number in range(WARM_UP):
            show(number)
        before = _resident()
        for number in range(WARM_UP, TOKENS):
            show(number)
    return {"before": before, "after": _resident()}


def _segment(claims: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


def _resident() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / 2**20


def rows() -> list[Row]:
    """What a process of its own measures."""
    found = measure_alone("tools.bench.memory")
    grown = found["after"] - found["before"]
    part = f"Memory of a warm authorizer, {TOKENS:,} different tokens, {len(STANDING)} cut-offs"
    return [
        Row(part, "resident before", None, f"{found['before']:.1f} MiB"),
        Row(part, "grown by", None, f"{grown:.2f} MiB", f"≤ {ALLOWED:.0f} MiB", grown <= ALLOWED),
    ]


if __name__ == "__main__":
    print(json.dumps(measure()), file=sys.stderr)
