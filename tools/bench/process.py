"""A warm authorizer to measure, and a process of its own to measure it in."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from keyturn.aws.stack import Stack
from tests.lambda_log import REQUEST_ID

CONTEXT = SimpleNamespace(aws_request_id=REQUEST_ID)  # Lambda's, as far as the authorizer reads it


@contextmanager
def container(stack: Any) -> Iterator[None]:
    """Have the handlers find this stack instead of that of their environment."""
    with patch.object(Stack, "from_environment", lambda: stack):
        yield


def measure_alone(module: str) -> Any:
    """The JSON that `python -m <module>` prints last on stderr; raises CalledProcessError."""
    ran = subprocess.run(
        [sys.executable, "-m", module],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(ran.stderr.splitlines()[-1])
