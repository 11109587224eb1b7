"""All changes to a keyset's keys: `(keyset, kid, now, …) -> keyset`.

A transition names its key and checks its own preconditions, so a duplicate, late or redriven call
changes nothing: if the change has been made already it returns the same keyset, and if the keyset
has moved on it raises a `Refused`.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from keyturn.keyset import capacity, diagnosis, planning, timing
from keyturn.keyset.errors import (
    AnotherKeyIsActive,
    AnotherKeyIsStandby,
    CreatedTooLongAgo,
    IllegalTransition,
    TooEarly,
    TooLate,
)
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import Event, State, state_after
from keyturn.keyset.timing import Limits, Times


def register(
    keyset: Keyset,
    kid: str,
    kms_key_arn: str,
    now: datetime,
    *,
    created: datetime,
    lifetime: int,
    limits: Limits,
) -> Keyset:
    """Add a new KMS key as the standby. `lifetime` (seconds) is set here and never changes.

    Raises AnotherKeyIsStandby, CreatedTooLongAgo, or IllegalTransition for a kid that has ended.
    """
    existing = keyset.find(kid)
    if isinstance(existing, EndedKey):
        raise IllegalTransition(kid, existing.state, "register")
    if existing:
        return keyset
    if keyset.standby:
        raise AnotherKeyIsStandby(keyset.standby.kid)
    birth = timing.whole_second(created)
    if now - created > limits.registration_age or keyset.is_behind_horizon(birth):
        raise CreatedTooLongAgo(kid, created)
    standby = Key(kid, kms_key_arn, State.STANDBY, lifetime, birth)
    return forget(replace(keyset, keys=(*keyset.keys, standby)), now, limits)


def publish(keyset: Keyset, kids: Iterable[str], now: datetime) -> Keyset:
    """Mark these kids, which were read back from the JWKS, as published; ignores unknown kids."""
    at, published_kids = timing.whole_second(now), set(kids)
    unpublished = [
        key for key in keyset.keys if key.kid in published_kids and key.published is None
    ]
    return _replace_keys(
        keyset,
        *(
            replace(key, state=state_after(key.kid, key.state, Event.PUBLISH), published=at)
            for key in unpublished
        ),
    )


def activate(
    keyset: Keyset,
    kid: str,
    now: datetime,
    *,
    supersede: str | None,
    times: Times,
    limits: Limits,
) -> Keyset:
    """Make the standby `kid` the active key in place of `supersede` (None if no key is active).

    While another key is active, raises TooEarly until every verifier knows the key and the JWKS has
    room for one more. If it had to wait for room, overdue grace keys retire in the same change.
    """
    if keyset.active and keyset.active.kid == kid:
        return keyset
    standby = _get_live_key(keyset, kid, Event.ACTIVATE)
    _check_active(keyset, supersede)
    if keyset.active:
        if standby.published is None:
            raise TooEarly(
                f"key {kid} is not published: it may sign", timing.may_sign_after(now, times)
            )
        takeover = planning.takeover(keyset, standby.published, times, limits)
        if now <= takeover.after:
            raise TooEarly(f"{takeover.reason}: key {kid} may sign", takeover.after)
        if takeover.reason is planning.TakeoverReason.JWKS_FULL:
            keyset = retire_overdue(keyset, now, times=times, limits=limits)
    return _make_active(keyset, standby, Event.ACTIVATE, now, times)


def roll_back(
    keyset: Keyset, kid: str, now: datetime, *, supersede: str | None, times: Times
) -> Keyset:
    """Make the grace key `kid` the active key again in place of `supersede`.

    Raises TooLate if a verifier could stop accepting the key before it learns of the rollback.
    """
    if keyset.active and keyset.active.kid == kid:
        return keyset
    key = _get_live_key(keyset, kid, Event.ROLL_BACK)
    _check_active(keyset, supersede)
    if key.verify_until is not None:
        limit = timing.roll_back_before(key.verify_until, times)
        if now >= limit:
            raise TooLate(f"key {kid} can be rolled back", limit)
    return _make_active(keyset, key, Event.ROLL_BACK, now, times)


def retire(keyset: Keyset, kid: str, now: datetime, *, times: Times, limits: Limits) -> Keyset:
    """Retire the grace key `kid`; raises TooEarly while one of its tokens may still be valid."""
    if keyset.get(kid).state is State.RETIRED:
        return keyset
    key = _get_live_key(keyset, kid, Event.RETIRE)
    if key.verify_until is not None:
        ready = timing.retire_after(key.verify_until, times)
        if now <= ready:
            raise TooEarly(f"key {kid} may retire", ready)
    return _end_keys(keyset, (key,), Event.RETIRE, now, limits)


def retire_overdue(keyset: Keyset, now: datetime, *, times: Times, limits: Limits) -> Keyset:
    """Retire every grace key whose tokens have all expired."""
    overdue = diagnosis.overdue_keys(keyset, now, times)
    return _end_keys(keyset, overdue, Event.RETIRE, now, limits)


def revoke(
    keyset: Keyset, kids: Iterable[str], now: datetime, *, times: Times, limits: Limits
) -> Keyset:
    """Revoke these keys at once; if the active key is among them, the standby takes its place.

    Ignores kids that have ended already; raises UnknownKid for one that is not listed.
    """
    keys = [keyset.get(kid) for kid in dict.fromkeys(kids)]
    revoked = tuple(key for key in keys if isinstance(key, Key))
    remaining = _end_keys(keyset, revoked, Event.REVOKE, now, limits)
    if keyset.active in revoked and remaining.standby:
        return _make_active(remaining, remaining.standby, Event.ACTIVATE, now, times)
    return remaining


def _get_live_key(keyset: Keyset, kid: str, event: Event) -> Key:
    """The live key `kid` if the table allows `event`; raises UnknownKid, IllegalTransition."""
    key = keyset.get(kid)
    state_after(kid, key.state, event)
    if isinstance(key, EndedKey):
        raise IllegalTransition(kid, key.state, event)
    return key


def _check_active(keyset: Keyset, supersede: str | None) -> None:
    active = keyset.active.kid if keyset.active else None
    if active != supersede:
        raise AnotherKeyIsActive(supersede, active)


def _make_active(keyset: Keyset, key: Key, event: Event, now: datetime, times: Times) -> Keyset:
    """Make `key` the active key; the key that was active before, if any, goes into grace."""
    at = timing.whole_second(now)
    activated = replace(
        key,
        state=state_after(key.kid, key.state, event),
        activated=at,
        superseded=None,
        verify_until=None,
    )
    active = keyset.active
    if active is None:
        return _replace_keys(keyset, activated)
    superseded = replace(
        active,
        state=state_after(active.kid, active.state, Event.SUPERSEDE),
        superseded=at,
        verify_until=timing.verify_until(at, active.lifetime, times),
    )
    return _replace_keys(keyset, superseded, activated)


def _replace_keys(keyset: Keyset, *changed: Key) -> Keyset:
    by_kid = {key.kid: key for key in changed}
    return replace(keyset, keys=tuple(by_kid.get(key.kid, key) for key in keyset.keys))


def _end_keys(
    keyset: Keyset, keys: tuple[Key, ...], event: Event, now: datetime, limits: Limits
) -> Keyset:
    if not keys:
        return keyset
    at = timing.whole_second(now)
    ended = tuple(
        EndedKey(key.kid, key.kms_key_arn, state_after(key.kid, key.state, event), key.created, at)
        for key in keys
    )
    remaining = tuple(key for key in keyset.keys if key not in keys)
    return forget(replace(keyset, keys=remaining, ended=(*keyset.ended, *ended)), now, limits)


def forget(keyset: Keyset, now: datetime, limits: Limits) -> Keyset:
    """Drop keys that ended long ago or for which there is no room, the longest-ended first.

    The horizon rises to cover each of them, so that none can be registered again. Also drops
    cut-offs whose last token has expired.
    """
    cutoffs = tuple(cutoff for cutoff in keyset.cutoffs if not cutoff.is_over(now))
    keyset = replace(keyset, cutoffs=cutoffs)
    room = capacity.ended_keys(keyset, limits)
    recent = keyset.ended[max(len(keyset.ended) - room, 0) :]
    ended = tuple(key for key in recent if now - key.ended <= limits.ended_age)
    births = [key.created for key in keyset.ended if key not in ended]
    if keyset.horizon:
        births.append(keyset.horizon)
    return replace(keyset, ended=ended, horizon=max(births, default=None))
