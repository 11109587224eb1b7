"""Bytes logged per authorization: the handler's own lines, and Lambda's about its call.

The handler runs; what Lambda writes is modelled in tests/lambda_log.py, with its sources.
"""

import io
from collections.abc import Mapping
from contextlib import redirect_stdout
from functools import cache
from typing import Any

from keyturn.api import authorize
from tests.lambda_log import Logging, size
from tests.template import TEMPLATE
from tests.vectors.keys import Keys
from tests.vectors.recipe import NOW, make
from tests.vectors.worlds import World, http_api, rest_token
from tools.bench.process import CONTEXT, container
from tools.bench.rows import Part, Row

# The same two calls, by the same model, before the lines were cut (2026-11-24, commit 6ff3ab6): Lambda's
# text format, a decision in the embedded metric format, two frames behind each 401.
BEFORE = {"accepted": 765, "refused": 1_075}
_CONFIG = TEMPLATE["Globals"]["Function"]["LoggingConfig"]
DEPLOYED = Logging(_CONFIG["LogFormat"] == "JSON", _CONFIG["SystemLogLevel"])
_ERRORS = Logging(DEPLOYED.json, DEPLOYED.level, errors_are_reported=True)
_LATE = 100_000  # seconds after which a token has expired


@cache
def measure(logging: Logging = DEPLOYED) -> Mapping[str, int]:
    """Bytes per call, by what came of it."""
    keys = Keys.generate()
    stack, later = World(keys).stack(NOW), World(keys).stack(NOW + _LATE)
    token = f"Bearer {make({}, keys)}"
    return {
        "accepted": _bytes(logging, stack, rest_token(token)),
        "refused": _bytes(logging, later, rest_token(token)),
        "refused, HTTP API": _bytes(logging, later, http_api(token)),
    }


def _bytes(logging: Logging, stack: Any, event: Mapping[str, Any]) -> int:
    error, printed = None, io.StringIO()
    with container(stack), redirect_stdout(printed):
        try:
            authorize.handler(event, CONTEXT)
        except Exception as raised:  # Unauthorized
            error = raised
    return size([*printed.getvalue().splitlines(keepends=True), *logging.lines(error)])


def rows() -> list[Row]:
    """Each with what it was before; then the other reading of Lambda's guide."""
    part = Part("Bytes logged per authorization, Lambda's own lines included, ratio to before")
    sizes, before = measure(), BEFORE["refused"]
    for name, old in BEFORE.items():
        part.add_ratio(name, f"{sizes[name]} of {old} bytes", sizes[name] / old, at_most=0.5)
    http, strict = sizes["refused, HTTP API"], measure(_ERRORS)["refused"]
    part.add("refused, HTTP API", f"{http} of {before} bytes", http / before)
    part.add(
        "refused, if a raised 401 is no success to Lambda",
        f"{strict} of {before} bytes",
        strict / before,
    )
    return part.rows
