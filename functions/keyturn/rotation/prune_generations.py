"""Generations that the bucket holds leave SSM: the fewer there are, the fewer pages a reader reads.

From the lowest on. The oldest parameter is the root of what counts (keyset/lineage.py), so what becomes
the root must be older than everything unlawful that remains. What was stepped over and could be taken for
a root goes in one call with the generation below it; where that is more than a call takes, all stays.
"""

from collections.abc import Iterator

from keyturn.aws.keyset_reader import AHEAD
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.keyset.lineage import Lineage, StoredParameter, can_be_root
from keyturn.keyset.model import Generation
from keyturn.rotation.unlawful import unlawful

_KEPT = 5  # the newest and four older ones, unless something unlawful is among them


def prune_generations(stack: Stack) -> list[int]:
    """Delete the generations that are old, or too many; returns their numbers."""
    parameters, lineage = stack.keysets.listed()
    root, pruned = lineage.chain[0].number, list[int]()
    for following in _roots(stack, parameters, lineage):
        between = range(root, following.number)
        generations = [one for one in lineage.chain if one.number in between]
        if not all(stack.history.holds(generation) for generation in generations):
            break
        leaving = [one for one in parameters if one.number in between]
        candidates = [one.name for one in leaving if can_be_root(one)]
        if len(candidates) > AHEAD:
            logger.warning("too_many_unlawful_generations", since=root, until=following.number)
            break
        stack.keysets.remove(candidates)
        stack.keysets.remove(one.name for one in leaving if one.name not in candidates)
        pruned += [generation.number for generation in generations]
        root = following.number
    return pruned


def _roots(
    stack: Stack, parameters: list[StoredParameter], lineage: Lineage
) -> Iterator[Generation]:
    """The generations that may become the root one after the other."""
    chain, strangers = lineage.chain, unlawful(parameters, lineage)
    modified = {one.number: one.modified for one in parameters}
    surplus = len(parameters) - stack.limits.generation_count
    oldest = stack.clock.now() - stack.limits.generation_age
    for index, following in enumerate(chain[1:]):
        is_old = chain[index].at < oldest
        is_spare = index < len(chain) - _KEPT or (is_old and bool(lineage.rejections))
        if not (is_spare and (is_old or index < surplus)):
            return
        remaining = (
            one
            for one in strangers
            if one.number is not None and not chain[0].number < one.number < following.number
        )
        if all(one.modified >= modified[following.number] for one in remaining):
            yield following
