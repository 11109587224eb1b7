"""Delete generations from SSM once the bucket holds them, so that readers have fewer pages to read.

The lowest go first. The oldest parameter is the root of the lineage (keyset/lineage.py), so the
next root must be older than every unlawful parameter that remains. Parameters that were stepped
over and could be mistaken for a root are deleted in the same call as the generation below them. If
one call cannot delete them all, nothing is deleted.
"""

from collections.abc import Iterator

from keyturn.aws.keyset.reader import LOOK_AHEAD
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.keyset.lineage import Lineage, StoredParameter, can_be_root
from keyturn.keyset.model import Generation
from keyturn.rotation.unlawful import find_unlawful

_MIN_GENERATIONS = 5  # the newest and four older ones, unless something unlawful is among them


def prune_generations(stack: Stack) -> list[int]:
    """Delete generations that are too old or too many; returns their numbers."""
    parameters, lineage = stack.keysets.read_all()
    root, pruned_numbers = lineage.chain[0].number, list[int]()
    for successor in _find_roots(stack, parameters, lineage):
        numbers = range(root, successor.number)
        generations = [generation for generation in lineage.chain if generation.number in numbers]
        if not all(stack.history.holds(generation) for generation in generations):
            break
        parameters_between = [parameter for parameter in parameters if parameter.number in numbers]
        candidates = [parameter.name for parameter in parameters_between if can_be_root(parameter)]
        if len(candidates) > LOOK_AHEAD:
            logger.warning("too_many_unlawful_generations", since=root, until=successor.number)
            break
        stack.keysets.remove(candidates)
        stack.keysets.remove(
            parameter.name for parameter in parameters_between if parameter.name not in candidates
        )
        pruned_numbers += [generation.number for generation in generations]
        root = successor.number
    return pruned_numbers


def _find_roots(
    stack: Stack, parameters: list[StoredParameter], lineage: Lineage
) -> Iterator[Generation]:
    """The generations that may become the root, in order."""
    chain, unlawful_parameters = lineage.chain, find_unlawful(parameters, lineage)
    modified = {parameter.number: parameter.modified for parameter in parameters}
    surplus = len(parameters) - stack.limits.generation_count
    oldest = stack.clock.now() - stack.limits.generation_age
    for index, successor in enumerate(chain[1:]):
        is_old = chain[index].at < oldest
        is_spare = index < len(chain) - _MIN_GENERATIONS or (is_old and bool(lineage.rejections))
        if not (is_spare and (is_old or index < surplus)):
            return
        remaining = (
            parameter
            for parameter in unlawful_parameters
            if parameter.number is not None
            and not chain[0].number < parameter.number < successor.number
        )
        if all(parameter.modified >= modified[successor.number] for parameter in remaining):
            yield successor
