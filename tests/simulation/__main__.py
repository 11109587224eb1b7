"""`make simulate`: mutants, worst cases, AWS late, long runs, single troubles, pairs of them, and seeds.

    python -m tests.simulation                    all of it
    python -m tests.simulation 4711               the run of this seed alone, and what happened in it
    python -m tests.simulation "rotation" "call 17 lost_reply" …      a script with these troubles
    python -m tests.simulation "a late projector"                     a worst case
    python -m tests.simulation "rotation, delays worst"               a run with AWS late
    python -m tests.simulation "keys that pile up"                    a long run

Of the single troubles and the pairs a share is tried, the same every time. FULL=1 tries all of them, also beside adversaries,
teams and operators, and 100,000 seeds. Ends with one line; build/simulate.json holds the figures.
"""

import json
import os
import sys
import time
from pathlib import Path

from tests.simulation import campaign, replay

FULL = bool(os.environ.get("FULL"))
REPORT = Path("build/simulate.json")
_SHARE = (None, None, None, 100_000) if FULL else (4_000, 300, 300, 600)


def main() -> int:
    """Everything; returns the exit status."""
    began = time.monotonic()
    parts = campaign.parts(*_SHARE)
    campaign.play(parts)
    passed, failed = (sum(getattr(part, name) for part in parts) for name in ("passed", "failed"))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps([part.report() for part in parts], indent=1))
    figures = ", ".join(str(part) for part in parts)
    print(
        f"simulate: {passed:,} passed, {failed:,} failed; {figures}; {time.monotonic() - began:.0f} s"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(replay.show(sys.argv[1:]) if sys.argv[1:] else main())
