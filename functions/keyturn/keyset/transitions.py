"""Every change a keyset can undergo: `(keyset, kid, now, …) -> keyset`.

A transition names its key and checks its own guard, so a duplicate, a late or a redriven caller
changes nothing: it gets the same keyset back when the change is already there, and a `Refused` when
the world has moved on.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from keyturn.keyset import timing
from keyturn.keyset.errors import (
    AnotherKeyIsActive,
    AnotherKeyIsStandby,
    CreatedTooLongAgo,
    IllegalTransition,
    TooEarly,
    TooLate,
)
from keyturn.keyset.model import EndedKey, Key, Keyset
from keyturn.keyset.states import Event, State, after
from keyturn.keyset.timing import Ages, Times


def register(
    keyset: Keyset,
    kid: str,
    kms_key_arn: str,
    now: datetime,
    *,
    created: datetime,
    lifetime: int,
    ages: Ages,
) -> Keyset:
    """Add a new KMS key as the standby. `lifetime` (seconds) is stamped here and never changes.

    Raises AnotherKeyIsStandby, CreatedTooLongAgo, or IllegalTransition for a kid that has ended.
    """
    known = keyset.find(kid)
    if isinstance(known, EndedKey):
        raise IllegalTransition(kid, known.state, "register")
    if known:
        return keyset
    if keyset.standby:
        raise AnotherKeyIsStandby(keyset.standby.kid)
    if now - created > ages.claim:
        raise CreatedTooLongAgo(kid, created)
    standby = Key(kid, kms_key_arn, State.STANDBY, lifetime, timing.whole_second(created))
    return replace(_forget(keyset, now, ages), keys=(*keyset.keys, standby))


def publish(keyset: Keyset, kids: Iterable[str], now: datetime) -> Keyset:
    """Note that the JWKS was read back with these kids; those that are gone are passed over."""
    at, shown = timing.whole_second(now), set(kids)
    fresh = [key for key in keyset.keys if key.kid in shown and key.published is None]
    return _put(
        keyset,
        *(
            replace(key, state=after(key.kid, key.state, Event.PUBLISH), published=at)
            for key in fresh
        ),
    )


def activate(
    keyset: Keyset, kid: str, now: datetime, *, supersede: str | None, times: Times
) -> Keyset:
    """Make the standby `kid` the active key, in the place of `supersede` (None: of nobody).

    Raises TooEarly while some verifier may not know the key, unless nobody signs at all.
    """
    if keyset.active and keyset.active.kid == kid:
        return keyset
    rising = _live(keyset, kid, Event.ACTIVATE)
    _check_active(keyset, supersede)
    if keyset.active:
        if rising.published is None:
            raise TooEarly(
                f"key {kid} is not published: it may sign", timing.may_sign_after(now, times)
            )
        ready = timing.may_sign_after(rising.published, times)
        if now <= ready:
            raise TooEarly(f"key {kid} may sign", ready)
    return _rise(keyset, rising, Event.ACTIVATE, now, times)


def roll_back(
    keyset: Keyset, kid: str, now: datetime, *, supersede: str | None, times: Times
) -> Keyset:
    """Make the grace key `kid` the active one again, in the place of `supersede`.

    Raises TooLate when a verifier may stop accepting the key before it hears of this.
    """
    if keyset.active and keyset.active.kid == kid:
        return keyset
    rising = _live(keyset, kid, Event.ROLL_BACK)
    _check_active(keyset, supersede)
    if rising.verify_until is not None:
        limit = timing.roll_back_before(rising.verify_until, times)
        if now >= limit:
            raise TooLate(f"key {kid} can be rolled back", limit)
    return _rise(keyset, rising, Event.ROLL_BACK, now, times)


def retire(keyset: Keyset, kid: str, now: datetime, *, times: Times, ages: Ages) -> Keyset:
    """End the grace key `kid`; raises TooEarly while a token of it can be alive."""
    known = keyset.get(kid)
    if known.state is State.RETIRED:
        return keyset
    fading = _live(keyset, kid, Event.RETIRE)
    if fading.verify_until is not None:
        ready = timing.retire_after(fading.verify_until, times)
        if now <= ready:
            raise TooEarly(f"key {kid} may retire", ready)
    return _end(keyset, (fading,), Event.RETIRE, now, ages)


def revoke(
    keyset: Keyset, kids: Iterable[str], now: datetime, *, times: Times, ages: Ages
) -> Keyset:
    """End these keys at once; if the active one is among them, the standby takes its place.

    Kids that have ended already are passed over; raises UnknownKid for one that never was.
    """
    named = [keyset.get(kid) for kid in dict.fromkeys(kids)]
    fallen = tuple(key for key in named if isinstance(key, Key))
    left = _end(keyset, fallen, Event.REVOKE, now, ages)
    if keyset.active in fallen and left.standby:
        return _rise(left, left.standby, Event.ACTIVATE, now, times)
    return left


def _live(keyset: Keyset, kid: str, event: Event) -> Key:
    """The live key `kid`, if the table lets `event` happen to it."""
    key = keyset.get(kid)
    after(kid, key.state, event)
    if isinstance(key, EndedKey):
        raise IllegalTransition(kid, key.state, event)
    return key


def _check_active(keyset: Keyset, supersede: str | None) -> None:
    active = keyset.active.kid if keyset.active else None
    if active != supersede:
        raise AnotherKeyIsActive(supersede, active)


def _rise(keyset: Keyset, rising: Key, event: Event, now: datetime, times: Times) -> Keyset:
    at = timing.whole_second(now)
    risen = replace(
        rising,
        state=after(rising.kid, rising.state, event),
        activated=at,
        superseded=None,
        verify_until=None,
    )
    old = keyset.active
    if old is None:
        return _put(keyset, risen)
    faded = replace(
        old,
        state=after(old.kid, old.state, Event.SUPERSEDE),
        superseded=at,
        verify_until=timing.verify_until(at, old.lifetime, times),
    )
    return _put(keyset, faded, risen)


def _put(keyset: Keyset, *changed: Key) -> Keyset:
    by_kid = {key.kid: key for key in changed}
    return replace(keyset, keys=tuple(by_kid.get(key.kid, key) for key in keyset.keys))


def _end(keyset: Keyset, keys: tuple[Key, ...], event: Event, now: datetime, ages: Ages) -> Keyset:
    if not keys:
        return keyset
    at = timing.whole_second(now)
    ended = tuple(
        EndedKey(key.kid, key.kms_key_arn, after(key.kid, key.state, event), at) for key in keys
    )
    left = _forget(keyset, now, ages)
    return Keyset(tuple(key for key in left.keys if key not in keys), (*left.ended, *ended))


def _forget(keyset: Keyset, now: datetime, ages: Ages) -> Keyset:
    """Drop what ended long ago; a younger end stays, so that nothing late can undo it."""
    return replace(
        keyset, ended=tuple(key for key in keyset.ended if now - key.ended <= ages.ended)
    )
