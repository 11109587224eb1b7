"""Bytes logged per authorization: the handler's own lines, and Lambda's about its call.

The handler runs; what Lambda writes is modelled in tests/lambda_log.py, with its sources.
"""

import io
from collections.abc import Mapping
from contextlib import redirect_stdout
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from keyturn.api import authorize
from keyturn.aws.stack import Stack
from tests.lambda_log import REQUEST_ID, Logging, size
from tests.template import TEMPLATE
from tests.vectors.keys import Keys
from tests.vectors.recipe import NOW, make
from tests.vectors.worlds import World, http_api, rest_token
from tools.bench.rows import Row, at_most

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
    context, error, printed = SimpleNamespace(aws_request_id=REQUEST_ID), None, io.StringIO()
    with patch.object(Stack, "from_environment", lambda: stack), redirect_stdout(printed):
        try:
            authorize.handler(event, context)
        except Exception as raised:  # Unauthorized
            error = raised
    return size([*printed.getvalue().splitlines(keepends=True), *logging.lines(error)])


def rows() -> list[Row]:
    """Each with what it was before; then the other reading of Lambda's guide."""
    part = "Bytes logged per authorization, Lambda's own lines included, ratio to before"
    cut, before = measure(), BEFORE["refused"]
    table = [
        at_most(part, name, cut[name] / old, 0.5, f"{cut[name]} of {old} bytes")
        for name, old in BEFORE.items()
    ]
    for name, total in (
        ("refused, HTTP API", cut["refused, HTTP API"]),
        ("refused, if a raised 401 is no success to Lambda", measure(_ERRORS)["refused"]),
    ):
        table.append(Row(part, name, total / before, f"{total} of {before} bytes"))
    return table
