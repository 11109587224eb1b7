"""What stands below the keyset's path and does not count is told once, kept and removed.

Nobody reads it as a generation (keyset/lineage.py). Removing it keeps the listing short, and sees to it
that no forged text is ever the oldest one.

* Where a generation may soon be written, and where one was written above it, a text stays: its name is
  taken for good, and a name that is free again would be a second place for the same successor. It goes
  with the generations below it (`prune_generations`), which a quiet stack steps over.
* Anywhere else it is removed at once.
"""

from collections.abc import Mapping
from typing import Any

from keyturn.aws.faults import Conflict
from keyturn.aws.keyset_reader import AHEAD
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Metric, measure
from keyturn.keyset.lineage import Lineage, Stored
from keyturn.keyset.model import Origin
from keyturn.rotation.put_back import is_incomplete
from keyturn.rotation.task import rfc3339


def remove_unlawful(stack: Stack) -> list[str]:
    """Tell, keep and remove; returns the names of what was told of or removed now."""
    parameters, lineage = stack.keysets.listed()
    strangers = unlawful(parameters, lineage)
    new = [one for one in strangers if not stack.history.holds_unlawful(one.name, one.text)]
    for one in new:
        logger.warning("unlawful_generation", **_detail(one, lineage))
        measure(Metric.UNLAWFUL_GENERATIONS)
        stack.event_bus.put([("UnlawfulGeneration", _detail(one, lineage))])
        stack.history.keep_unlawful(one.name, one.text)
    removable = [one.name for one in strangers if not _is_near(one, lineage)]
    stack.keysets.remove(removable)
    return [one.name for one in strangers if one in new or one.name in removable]


def step_over(stack: Stack, origin: Origin) -> int | None:
    """Repeat the keyset above what stands where its successors should; returns the number it takes.

    Readers then no longer meet it, nor does one go on from it that holds it, and it is pruned with the
    generations below. What the history still has to put back is no stranger: its names stay free.
    """
    parameters, lineage = stack.keysets.listed()
    near = range(lineage.free, lineage.free + AHEAD)
    standing = [one.number for one in parameters if one.number in near]
    number = max([lineage.free - 1, *filter(None, standing)]) + 1
    if number == lineage.head.number + 1 or is_incomplete(stack):
        return None
    try:
        return stack.keysets.restore(number, lineage.head.keyset, origin).number
    except Conflict:  # somebody wrote: the next run looks again
        return None


def unlawful(parameters: list[Stored], lineage: Lineage) -> list[Stored]:
    """The parameters that do not count."""
    texts = {generation.number: generation.text for generation in lineage.chain}
    return [one for one in parameters if one.number is None or texts.get(one.number) != one.text]


def _is_near(stored: Stored, lineage: Lineage) -> bool:
    """Whether its name is one of the lineage's, or may become one while a deletion is under way."""
    number, root = stored.number, lineage.chain[0].number
    return number is not None and root <= number < lineage.free + AHEAD


def _detail(stored: Stored, lineage: Lineage) -> Mapping[str, Any]:
    why = lineage.ignored.get(stored.number, "") if stored.number is not None else ""
    return {
        "parameter": stored.name,
        "why": why or "it is not what follows the newest generation",
        "modified": rfc3339(stored.modified),
    }
