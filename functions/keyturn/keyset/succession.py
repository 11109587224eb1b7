"""Whether one generation may follow another: what readers check (docs/decisions/0020).

The table of states says what a key may become; this rule says what a keyset may become, after one
change or after many. It is transitive, so a reader that has missed generations applies the same
rule. It uses none of the deployment's periods, since these may have changed; how long a step must
wait is for the writer to check.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from keyturn.keyset.cutoffs import CutOff
from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.states import TABLE, State
from keyturn.keyset.timing import BOUNDS, LONGEST_MARGIN, MAX_CLOCK_DIFFERENCE, cutoff_until

_NEVER = datetime.min.replace(tzinfo=UTC)


def find_violation(before: Generation, after: Generation) -> str | None:
    """Why `before` cannot have become `after`, as a sentence; None if it can.

    No ended key becomes live and no key is lost or unpublished. States change as the table allows,
    time does not go backwards, the horizon only rises, and a key's fixed attributes do not change.
    No cut-off is weakened, or dropped before its end.
    """
    return next(_violations(before, after), None)


def _violations(before: Generation, after: Generation) -> Iterator[str]:
    if after.at < before.at - MAX_CLOCK_DIFFERENCE:
        yield "time goes backwards"
    yield from _check_horizon(before.keyset.horizon, after)
    for cutoff in before.keyset.cutoffs:
        yield from _check_known_cutoff(cutoff, after)
    for cutoff in after.keyset.cutoffs:
        yield from _check_cutoff(cutoff, after)
    for key in before.keyset.all_keys:
        yield from _check_known_key(key, before, after)
    for key in after.keyset.all_keys:
        if before.keyset.find(key.kid) is None:
            yield from _check_new_key(key, before, after)


def _check_horizon(before: datetime | None, after: Generation) -> Iterator[str]:
    horizon = after.keyset.horizon
    if (horizon or _NEVER) < (before or _NEVER):
        yield "the horizon falls"
    if horizon and horizon > after.at + MAX_CLOCK_DIFFERENCE:
        yield "the horizon is in the future"


def _check_known_cutoff(cutoff: CutOff, after: Generation) -> Iterator[str]:
    """A cut-off is never weakened, nor dropped while a token that it refuses may be valid."""
    cutoff_after = after.keyset.cutoff(cutoff.claim, cutoff.digest)
    name = f"the cut-off of {cutoff.claim} {cutoff.digest}"
    if cutoff_after is None:
        if cutoff.until is None or after.at <= cutoff.until:
            yield f"{name} is dropped"
    elif cutoff_after.before < cutoff.before:
        yield f"{name} is earlier than it was"
    elif cutoff.until and cutoff_after.until and cutoff_after.until < cutoff.until:
        yield f"{name} ends earlier than it did"


def _check_cutoff(cutoff: CutOff, after: Generation) -> Iterator[str]:
    if cutoff.before > after.at + MAX_CLOCK_DIFFERENCE:
        yield f"the cut-off of {cutoff.claim} {cutoff.digest} is in the future"
    longest = cutoff_until(cutoff.before, BOUNDS["token_lifetime"][1])
    if cutoff.until and cutoff.until > longest:
        yield f"the cut-off of {cutoff.claim} {cutoff.digest} outlives every token"


def _check_known_key(key: Key | EndedKey, before: Generation, after: Generation) -> Iterator[str]:
    key_after = after.keyset.find(key.kid)
    if key_after is None:
        if not after.keyset.is_behind_horizon(key.created):
            yield f"key {key.kid} is lost"
        return
    if key_after.state not in _REACHABLE[key.state]:
        yield f"key {key.kid} was {key.state} and is {key_after.state}"
    if (key_after.kms_key_arn, key_after.created) != (key.kms_key_arn, key.created):
        yield f"key {key.kid} refers to a different KMS key"
    if isinstance(key, EndedKey):
        if isinstance(key_after, EndedKey) and key_after.ended < key.ended:
            yield f"key {key.kid} has an earlier end than before"
    elif isinstance(key_after, EndedKey):
        yield from _check_instants(key_after.kid, [key_after.ended], before.at, after.at)
    else:
        yield from _check_live_key(key, key_after, before, after)


def _check_live_key(
    key: Key, key_after: Key, before: Generation, after: Generation
) -> Iterator[str]:
    if key_after.lifetime != key.lifetime:
        yield f"key {key.kid} has another lifetime"
    if key.published and key_after.published != key.published:
        yield f"key {key.kid} is unpublished"
    instants_before = (key.published, key.activated, key.superseded)
    instants = (key_after.published, key_after.activated, key_after.superseded)
    changes = [
        now for now, was in zip(instants, instants_before, strict=True) if now and now != was
    ]
    yield from _check_instants(key.kid, changes, before.at, after.at)
    if key_after.superseded != key.superseded or key_after.verify_until != key.verify_until:
        yield from _check_grace(key_after)


def _check_new_key(key: Key | EndedKey, before: Generation, after: Generation) -> Iterator[str]:
    if before.keyset.is_behind_horizon(key.created):
        yield f"key {key.kid} was forgotten, and is back"
    if not _is_in_same_region(key, before.keyset):
        yield f"key {key.kid} belongs to another account or Region"
    yield from _check_instants(key.kid, [key.created], _NEVER + MAX_CLOCK_DIFFERENCE, after.at)
    if isinstance(key, EndedKey):
        yield from _check_instants(key.kid, [key.ended], before.at, after.at)
    else:
        instants = (key.published, key.activated, key.superseded)
        yield from _check_instants(key.kid, filter(None, instants), before.at, after.at)
        yield from _check_grace(key)


def _check_grace(key: Key) -> Iterator[str]:
    """A superseded key verifies for as long as its last token can live, plus a bounded margin."""
    if key.state is not State.GRACE:
        if key.verify_until:
            yield f"key {key.kid} is {key.state} but has a verify_until"
        return
    if key.superseded is None or key.verify_until is None:
        yield f"key {key.kid} is in grace without superseded or verify_until"
        return
    margin = key.verify_until - key.superseded - timedelta(seconds=key.lifetime)
    if not timedelta(0) <= margin <= LONGEST_MARGIN:
        yield f"key {key.kid} has a verify_until that no deployment would compute"


def _check_instants(
    kid: str, instants: Iterable[datetime], since: datetime, until: datetime
) -> Iterator[str]:
    """What changed between two generations happened between their times, give or take clocks."""
    for instant in instants:
        if not since - MAX_CLOCK_DIFFERENCE <= instant <= until + MAX_CLOCK_DIFFERENCE:
            yield f"key {kid} changed outside the time between its generations"


def _is_in_same_region(key: Key | EndedKey, keyset: Keyset) -> bool:
    prefixes = {_arn_prefix(listed.kms_key_arn) for listed in keyset.all_keys}
    return not prefixes or _arn_prefix(key.kms_key_arn) in prefixes


def _arn_prefix(arn: str) -> str:
    return arn[: arn.rfind("/") + 1]


def _reachable(state: State) -> frozenset[State]:
    """The states that can be reached from this one, itself included."""
    reachable, frontier = {state}, [state]
    while frontier:
        following = set(TABLE[frontier.pop()].values()) - reachable
        reachable |= following
        frontier += following
    return frozenset(reachable)


_REACHABLE: Mapping[State, frozenset[State]] = {state: _reachable(state) for state in State}
