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
from keyturn.aws.keyset_reader import LOOK_AHEAD
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Metric, measure
from keyturn.keyset.lineage import Lineage, StoredParameter
from keyturn.keyset.model import Origin
from keyturn.rotation.put_back import is_incomplete
from keyturn.rotation.task import rfc3339


def remove_unlawful(stack: Stack) -> list[str]:
    """Tell, keep and remove; returns the names of what was told of or removed now."""
    parameters, lineage = stack.keysets.read_all()
    unlawful_parameters = find_unlawful(parameters, lineage)
    new_parameters = [
        parameter
        for parameter in unlawful_parameters
        if not stack.history.holds_unlawful(parameter.name, parameter.text)
    ]
    for parameter in new_parameters:
        logger.warning("unlawful_generation", **_detail(parameter, lineage))
        measure(Metric.UNLAWFUL_GENERATIONS)
        stack.event_bus.put([("UnlawfulGeneration", _detail(parameter, lineage))])
        stack.history.keep_unlawful(parameter.name, parameter.text)
    removable = [
        parameter.name for parameter in unlawful_parameters if not _is_near(parameter, lineage)
    ]
    stack.keysets.remove(removable)
    return [
        parameter.name
        for parameter in unlawful_parameters
        if parameter in new_parameters or parameter.name in removable
    ]


def step_over(stack: Stack, origin: Origin) -> int | None:
    """Repeat the keyset above what stands where its successors should; returns the number it takes.

    Readers then no longer meet it, nor does one go on from it that holds it, and it is pruned with the
    generations below. What the history still has to put back is no stranger: its names stay free.
    """
    parameters, lineage = stack.keysets.read_all()
    near = range(lineage.next_number, lineage.next_number + LOOK_AHEAD)
    standing = [one.number for one in parameters if one.number in near]
    number = max([lineage.next_number - 1, *filter(None, standing)]) + 1
    if number == lineage.head.number + 1 or is_incomplete(stack):
        return None
    try:
        return stack.keysets.restore(number, lineage.head.keyset, origin).number
    except Conflict:  # somebody wrote: the next run looks again
        return None


def find_unlawful(parameters: list[StoredParameter], lineage: Lineage) -> list[StoredParameter]:
    """The parameters that do not count."""
    texts = {generation.number: generation.text for generation in lineage.chain}
    return [
        parameter
        for parameter in parameters
        if parameter.number is None or texts.get(parameter.number) != parameter.text
    ]


def _is_near(stored: StoredParameter, lineage: Lineage) -> bool:
    """Whether its name is one of the lineage's, or may become one while a deletion is under way."""
    number, root = stored.number, lineage.chain[0].number
    return number is not None and root <= number < lineage.next_number + LOOK_AHEAD


def _detail(stored: StoredParameter, lineage: Lineage) -> Mapping[str, Any]:
    violation = lineage.rejections.get(stored.number, "") if stored.number is not None else ""
    return {
        "parameter": stored.name,
        "reason": violation or "it is not a lawful successor of the newest generation",
        "modified": rfc3339(stored.modified),
    }
