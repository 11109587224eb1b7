"""Commands that a program or a test runs."""

import subprocess
import sys
from pathlib import Path
from typing import Any

KEYTURN = Path(sys.executable).with_name("keyturn")  # the operator's command

Completed = subprocess.CompletedProcess[str]


def run(*words: object, **options: Any) -> Completed:
    """Run a command until it ends; returns its status and what it printed."""
    return subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False, **options
    )
