"""Report, record and remove parameters below the keyset's path that do not count.

Readers ignore them (keyset/lineage.py). Removing them keeps the listing short and ensures that the
oldest parameter is never a forged one.

* Among the lineage's names, and where its next generations may be written, a parameter stays: once
  its name was free again, the same successor could be written in two places. It is deleted together
  with the generations below it (`prune_generations`). On a quiet stack `step_over` makes that
  possible.
* Anywhere else it is removed at once.
"""

from collections.abc import Mapping
from typing import Any

from keyturn.aws.faults import Conflict
from keyturn.aws.keyset.reader import LOOK_AHEAD
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Metric, measure
from keyturn.keyset.lineage import Lineage, StoredParameter
from keyturn.keyset.model import Origin
from keyturn.rotation.put_back import is_incomplete
from keyturn.rotation.task import rfc3339


def remove_unlawful(stack: Stack) -> list[str]:
    """Report, record and remove; returns the names that were reported or removed in this run."""
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
    """Repeat the keyset above unlawful parameters in its successors' places; returns the number.

    Readers then no longer come across these parameters, and a reader that took one for a generation
    does not continue from it. They are pruned with the generations below. Does nothing while
    generations are still to be restored from the history: their names must stay free.
    """
    parameters, lineage = stack.keysets.read_all()
    taken_numbers = {parameter.number for parameter in parameters}
    near = range(lineage.next_number, lineage.next_number + LOOK_AHEAD)
    number = max((n for n in near if n in taken_numbers), default=near.start - 1) + 1
    if number == lineage.head.number + 1 or is_incomplete(stack, parameters):
        return None
    try:
        return stack.keysets.restore(number, lineage.head.keyset, origin).number
    except Conflict:  # another writer was faster: the next run tries again
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
    """Whether its name belongs to the lineage, or may soon, while it is being deleted."""
    number, root = stored.number, lineage.chain[0].number
    return number is not None and root <= number < lineage.next_number + LOOK_AHEAD


def _detail(stored: StoredParameter, lineage: Lineage) -> Mapping[str, Any]:
    violation = lineage.rejections.get(stored.number, "") if stored.number is not None else ""
    return {
        "parameter": stored.name,
        "reason": violation or "it is not a lawful successor of the newest generation",
        "modified": rfc3339(stored.modified),
    }
