"""Python imports this at its start: the wall clock is what the file `KEYTURN_CLOCK` says."""

import os
import time
from pathlib import Path

_SAID = Path(os.environ["KEYTURN_CLOCK"])


def _time() -> float:
    return float(_SAID.read_text())


time.time = _time
