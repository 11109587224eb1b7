"""May this generation follow that one? The rule for what somebody else wrote (docs/decisions/0020).

The table of states says what may become of a key, and this rule what may become of a keyset, after one
change or after many: it is transitive, so a reader that slept asks the same question. It knows no period
of the deployment, which may have changed since; how long a step has to wait is the writer's to check.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from keyturn.keyset.cutoffs import CutOff
from keyturn.keyset.model import EndedKey, Generation, Key, Keyset
from keyturn.keyset.states import TABLE, State
from keyturn.keyset.timing import BOUNDS, CLOCKS, LONGEST_MARGIN, cut_until

_NEVER = datetime.min.replace(tzinfo=UTC)


def objection(before: Generation, after: Generation) -> str | None:
    """Why `after` cannot have become of `before`, as a sentence; None if it can.

    Nothing ended becomes live, nothing is lost or unpublished, states move along the table's arrows,
    times do not run backwards, the horizon only rises, what is stamped on a key stays, and no cut-off is
    weakened or dropped before its time.
    """
    return next(_objections(before, after), None)


def _objections(before: Generation, after: Generation) -> Iterator[str]:
    if after.at < before.at - CLOCKS:
        yield "time runs backwards"
    yield from _of_horizon(before.keyset.horizon, after)
    for cutoff in before.keyset.cutoffs:
        yield from _of_known_cutoff(cutoff, after)
    for cutoff in after.keyset.cutoffs:
        yield from _of_cutoff(cutoff, after)
    for key in before.keyset.known:
        yield from _of_known_key(key, before, after)
    for key in after.keyset.known:
        if before.keyset.find(key.kid) is None:
            yield from _of_new_key(key, before, after)


def _of_horizon(before: datetime | None, after: Generation) -> Iterator[str]:
    horizon = after.keyset.horizon
    if (horizon or _NEVER) < (before or _NEVER):
        yield "the horizon falls"
    if horizon and horizon > after.at + CLOCKS:
        yield "the horizon is in the future"


def _of_known_cutoff(cutoff: CutOff, after: Generation) -> Iterator[str]:
    """None is weakened, none is dropped while a token that it refuses can be alive."""
    now = after.keyset.cutoff(cutoff.claim, cutoff.digest)
    name = f"the cut-off of {cutoff.claim} {cutoff.digest}"
    if now is None:
        if cutoff.until is None or after.at <= cutoff.until:
            yield f"{name} is dropped"
    elif now.before < cutoff.before:
        yield f"{name} is earlier than it was"
    elif cutoff.until and now.until and now.until < cutoff.until:
        yield f"{name} ends earlier than it did"


def _of_cutoff(cutoff: CutOff, after: Generation) -> Iterator[str]:
    if cutoff.before > after.at + CLOCKS:
        yield f"the cut-off of {cutoff.claim} {cutoff.digest} is in the future"
    longest = cut_until(cutoff.before, BOUNDS["token_lifetime"][1])
    if cutoff.until and cutoff.until > longest:
        yield f"the cut-off of {cutoff.claim} {cutoff.digest} outlives every token"


def _of_known_key(key: Key | EndedKey, before: Generation, after: Generation) -> Iterator[str]:
    now = after.keyset.find(key.kid)
    if now is None:
        if not after.keyset.is_behind_horizon(key.created):
            yield f"key {key.kid} is lost"
        return
    if now.state not in _REACHABLE[key.state]:
        yield f"key {key.kid} was {key.state} and is {now.state}"
    if (now.kms_key_arn, now.created) != (key.kms_key_arn, key.created):
        yield f"key {key.kid} is another KMS key"
    if isinstance(key, EndedKey):
        if isinstance(now, EndedKey) and now.ended < key.ended:
            yield f"key {key.kid} ended earlier than it did"
    elif isinstance(now, EndedKey):
        yield from _of_instants(now.kid, [now.ended], before.at, after.at)
    else:
        yield from _of_live_key(key, now, before, after)


def _of_live_key(key: Key, now: Key, before: Generation, after: Generation) -> Iterator[str]:
    if now.lifetime != key.lifetime:
        yield f"key {key.kid} has another lifetime"
    if key.published and now.published != key.published:
        yield f"key {key.kid} is unpublished"
    was = (key.published, key.activated, key.superseded)
    instants = (now.published, now.activated, now.superseded)
    changed = [new for new, old in zip(instants, was, strict=True) if new and new != old]
    yield from _of_instants(key.kid, changed, before.at, after.at)
    if now.superseded != key.superseded or now.verify_until != key.verify_until:
        yield from _of_grace(now)


def _of_new_key(key: Key | EndedKey, before: Generation, after: Generation) -> Iterator[str]:
    if before.keyset.is_behind_horizon(key.created):
        yield f"key {key.kid} was forgotten, and is back"
    if not _is_at_home(key, before.keyset):
        yield f"key {key.kid} is of another account or Region"
    yield from _of_instants(key.kid, [key.created], _NEVER + CLOCKS, after.at)
    if isinstance(key, EndedKey):
        yield from _of_instants(key.kid, [key.ended], before.at, after.at)
    else:
        instants = (key.published, key.activated, key.superseded)
        yield from _of_instants(key.kid, filter(None, instants), before.at, after.at)
        yield from _of_grace(key)


def _of_grace(key: Key) -> Iterator[str]:
    """A superseded key verifies for as long as its last token can live, and hardly longer."""
    if key.state is not State.GRACE:
        if key.verify_until:
            yield f"key {key.kid} is {key.state} and has an end"
        return
    if key.superseded is None or key.verify_until is None:
        yield f"key {key.kid} is in grace since an unknown instant"
        return
    margin = key.verify_until - key.superseded - timedelta(seconds=key.lifetime)
    if not timedelta(0) <= margin <= LONGEST_MARGIN:
        yield f"key {key.kid} verifies until an instant that no deployment would compute"


def _of_instants(
    kid: str, instants: Iterable[datetime], since: datetime, until: datetime
) -> Iterator[str]:
    """What happened between two generations did so between their instants, clocks aside."""
    for instant in instants:
        if not since - CLOCKS <= instant <= until + CLOCKS:
            yield f"key {kid} changed at another time than its generations say"


def _is_at_home(key: Key | EndedKey, keyset: Keyset) -> bool:
    homes = {_home(known.kms_key_arn) for known in keyset.known}
    return not homes or _home(key.kms_key_arn) in homes


def _home(arn: str) -> str:
    return arn[: arn.rfind("/") + 1]


def _reachable(state: State) -> frozenset[State]:
    """The states that the table's arrows lead to, from this one on."""
    reachable, frontier = {state}, [state]
    while frontier:
        following = set(TABLE[frontier.pop()].values()) - reachable
        reachable |= following
        frontier += following
    return frozenset(reachable)


_REACHABLE: Mapping[State, frozenset[State]] = {state: _reachable(state) for state in State}
