"""The key-life diagram of the README, drawn from the table in `keyset/states.py`."""

import re
from pathlib import Path

from keyturn.keyset.states import TABLE

README = Path(__file__).parents[1] / "README.md"
_BLOCK = re.compile(r"(<!-- key life: make docs -->\n).*?(\n<!-- end of key life -->)", re.DOTALL)


def diagram() -> str:
    """A Mermaid state diagram; events that lead back to the same state are left out."""
    lines = ["stateDiagram-v2", "    direction LR", "    [*] --> standby: register"]
    for state, events in TABLE.items():
        lines += [
            f"    {state} --> {after}: {event}" for event, after in events.items() if after != state
        ]
        if not events:
            lines.append(f"    {state} --> [*]")
    return "\n".join(["```mermaid", *lines, "```"])


def with_diagram(readme: str) -> str:
    """The README with its diagram drawn anew."""
    return _BLOCK.sub(lambda match: match[1] + diagram() + match[2], readme)


if __name__ == "__main__":
    README.write_text(with_diagram(README.read_text()))
