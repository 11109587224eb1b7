"""A measurement in a process of its own, whose output goes nowhere."""

import json
import subprocess
import sys
from typing import Any


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
