"""A contestant's side of the contest: asked by name, it verifies every token once and says how long.

Needs nothing but Python: it runs in the environments of others.
"""

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Verify = Callable[[str], object]

WARM_UP = 200  # tokens, after the others had the processor

# Before anything else is imported: what contestants print goes to /dev/null, and not into answers.
answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def load() -> dict[str, Any]:
    """The run's key and tokens."""
    material: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    return material


def serve(contestants: Mapping[str, Verify], material: Mapping[str, Any]) -> None:
    """Answer each line of stdin, a contestant's name, with seconds per token."""
    print(json.dumps(list(contestants)), file=answers)
    for line in sys.stdin:
        verify, tokens = contestants[line.strip()], material["tokens"]
        gc.collect()
        for token in tokens[:WARM_UP]:
            verify(token)
        began = time.perf_counter()
        for token in tokens:
            verify(token)
        print((time.perf_counter() - began) / len(tokens), file=answers)


def insist(verify: Verify, material: Mapping[str, Any], checks: bool = True) -> Verify:
    """`verify`, if it takes a good token and refuses the bad ones; the raw ones know no claims."""
    verify(material["tokens"][0])
    for problem, token in material["bad"].items():
        if not checks and problem != "another key":
            continue
        try:
            verify(token)
        except Exception:  # each has its own
            continue
        raise SystemExit(f"{verify} accepts a token that is bad: {problem}")
    return verify
