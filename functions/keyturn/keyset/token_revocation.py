"""The changes that revoke tokens: add cut-offs, release blocks, drop what has ended."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from keyturn.keyset import capacity, cutoffs, timing
from keyturn.keyset.cutoffs import Claim, CutOff
from keyturn.keyset.errors import Refused
from keyturn.keyset.model import Keyset
from keyturn.keyset.timing import Limits, Times
from keyturn.keyset.transitions import forget


class OrderOvertaken(Refused):
    """The client was blocked, released or cut off after this order was given.

    The keyset no longer shows which of these it was, so the order is not reported as carried out.
    """

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"client {digest} has since been blocked, released or cut off: check it, then order again"
        )


class NotBlocked(Refused):
    """There is no block to release. Perhaps it is still being written and this release overtook it.

    If the release were acknowledged, the block would then be written and remain.
    """

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"client {digest} is not blocked: if a block is still running, wait for its end, then release the client"
        )


def cut_off(
    keyset: Keyset,
    requested: Collection[tuple[Claim, str]],
    now: datetime,
    *,
    before: datetime,
    times: Times,
    limits: Limits,
    block: bool = False,
) -> Keyset:
    """Refuse tokens issued before `before` with these claim values, given as digests.

    `before` is timing.cutoff_before of the time of the order, however late it is written. With
    `block`, a client's later tokens are refused as well. Existing cut-offs are never weakened.
    Raises CutOffsFull, and OrderOvertaken for a block of a client that may have been released
    since.
    """
    if block:
        _check_blocks(keyset, requested, now, before)
    until = timing.cutoff_until(before, _longest_lifetime(keyset, times))
    if now > until:  # all tokens issued before have expired
        return keyset
    new_cutoffs = [
        CutOff(claim, digest, before, None if block else until) for claim, digest in requested
    ]
    changed = forget(
        replace(keyset, cutoffs=cutoffs.merge(keyset.cutoffs, new_cutoffs)), now, limits
    )
    capacity.check_cutoffs(changed, keyset, limits)
    return changed


def release(keyset: Keyset, clients: Collection[str], *, before: datetime, times: Times) -> Keyset:
    """End these clients' blocks, given as digests; tokens issued before `before` stay refused.

    Raises NotBlocked, unless the client has been released already, and OrderOvertaken if it was
    blocked after this order.
    """
    for digest in clients:
        cutoff = keyset.cutoff(Claim.CLIENT, digest)
        if cutoff and cutoff.is_block:
            if cutoff.before > before:
                raise OrderOvertaken(digest)
        elif cutoff is None or cutoff.before < before:
            raise NotBlocked(digest)
    until = timing.cutoff_until(before, _longest_lifetime(keyset, times))
    remaining = tuple(
        CutOff(cutoff.claim, cutoff.digest, before, until)
        if cutoff.is_block and cutoff.digest in clients
        else cutoff
        for cutoff in keyset.cutoffs
    )
    return keyset if remaining == keyset.cutoffs else replace(keyset, cutoffs=remaining)


def forget_cutoffs(keyset: Keyset, now: datetime, limits: Limits) -> Keyset:
    """Drop the cut-offs whose last token has expired."""
    if any(cutoff.is_over(now) for cutoff in keyset.cutoffs):
        return forget(keyset, now, limits)
    return keyset


def _check_blocks(
    keyset: Keyset, requested: Collection[tuple[Claim, str]], now: datetime, before: datetime
) -> None:
    """An existing block may be written again. A new one must not be older than a release."""
    is_late = now > timing.block_by(before)  # a release since then may have been forgotten
    for claim, digest in requested:
        existing = keyset.cutoff(claim, digest)
        if existing and existing.is_block:
            continue
        if is_late or (existing and existing.before > before):
            raise OrderOvertaken(digest)


def _longest_lifetime(keyset: Keyset, times: Times) -> int:
    return max((key.lifetime for key in keyset.keys), default=times.token_lifetime)
