"""What happens next, and when."""

from dataclasses import dataclass
from datetime import datetime

from keyturn.cli.snapshot import Snapshot
from keyturn.cli.status.phases import next_takeover
from keyturn.keyset import timing


@dataclass(frozen=True, slots=True)
class UpcomingEvent:
    """An event that is due at a certain time: a stable name, and a text for people."""

    at: datetime
    event: str
    kid: str | None
    words: str


def upcoming(snapshot: Snapshot) -> list[UpcomingEvent]:
    """Everything that is due, in order; overdue events are for doctor to report."""
    events = [*_of_rotation(snapshot), *_of_grace(snapshot), *_of_kms(snapshot)]
    return sorted((event for event in events if event.at > snapshot.at), key=lambda event: event.at)


def _of_rotation(snapshot: Snapshot) -> list[UpcomingEvent]:
    keyset, times = snapshot.keyset, snapshot.settings.times
    events = []
    if keyset.active and keyset.standby and keyset.standby.published:
        may_sign_at = timing.may_sign_after(keyset.standby.published, times)
        events.append(
            UpcomingEvent(
                may_sign_at, "may_sign", keyset.standby.kid, "every verifier knows the standby"
            )
        )
    if keyset.active:
        takeover_at = next_takeover(keyset, times, snapshot.at)
        kid = keyset.standby.kid if keyset.standby else None
        events.append(UpcomingEvent(takeover_at, "rotation_due", kid, "a rotation is due"))
    return events


def _of_grace(snapshot: Snapshot) -> list[UpcomingEvent]:
    times = snapshot.settings.times
    events = []
    for key in snapshot.keyset.grace:
        if key.verify_until:
            until = key.verify_until
            limit = timing.roll_back_before(until, times)
            retire = timing.retire_after(until, times)
            events += [
                UpcomingEvent(limit, "rollback_ends", key.kid, "too late to roll back"),
                UpcomingEvent(until, "verification_ends", key.kid, "its last token has expired"),
                UpcomingEvent(retire, "retirement", key.kid, "is retired and leaves the JWKS"),
            ]
    return events


def _of_kms(snapshot: Snapshot) -> list[UpcomingEvent]:
    by_arn = {
        key.kms_key_arn: key.kid
        for generation in snapshot.generations
        for key in generation.keyset.all_keys
    }
    return [
        UpcomingEvent(key.deletion, "kms_deletion", by_arn.get(key.arn), "KMS deletes the key")
        for key in (snapshot.kms or {}).values()
        if key.deletion
    ]
