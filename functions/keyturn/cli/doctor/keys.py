"""Checks of the keys: the keyset itself, and KMS compared with it."""

from collections.abc import Iterator
from datetime import timedelta

from keyturn.aws.keyset.kms_keys import KmsKey
from keyturn.cli.doctor.findings import BY_FIX, Finding, Fix, Severity
from keyturn.cli.formatting import duration, instant
from keyturn.cli.snapshot import Snapshot
from keyturn.keyset import diagnosis
from keyturn.keyset.model import EndedKey, Key
from keyturn.keyset.states import State
from keyturn.keyset.timing import Limits

_LIMITS = Limits()
_LATE = timedelta(days=1)  # RotationSchedule tries once a day


def check_keyset(snapshot: Snapshot) -> Iterator[Finding]:
    """There is an active key and a published standby, and no grace key is overdue."""
    keyset, times = snapshot.keyset, snapshot.settings.times
    if keyset.active is None:
        yield Finding(
            "no_active_key",
            Severity.CRITICAL,
            "No key is active: the issuer answers 503.",
            f"{BY_FIX} activates the standby or a new key.",
            Fix.RECONCILE,
        )
    yield from _check_standby(snapshot)
    for key in diagnosis.overdue_keys(keyset, snapshot.at, times):
        yield Finding(
            "overdue_key",
            Severity.WARNING,
            f"Key {key.kid} should have been retired: its tokens have been refused since "
            f"{instant(key.verify_until)}.",
            f"{BY_FIX} retires it.",
            Fix.RECONCILE,
            key.kid,
        )
    yield from _check_rotation(snapshot)


def _check_standby(snapshot: Snapshot) -> Iterator[Finding]:
    standby, now = snapshot.keyset.standby, snapshot.at
    settled_at = diagnosis.settled_at(snapshot.generation, _LIMITS)
    if standby is None:
        wait = settled_at - now
        when = (
            f" Wait {duration(wait)} first: a rotation may be about to do so."
            if wait > timedelta(0)
            else ""
        )
        yield Finding(
            "no_standby",
            Severity.ERROR,
            "There is no standby key: an emergency would sign with a key that verifiers do not know yet.",
            f"{BY_FIX} creates and publishes one.{when}",
            Fix.RECONCILE,
        )
    elif standby.published is None and now > settled_at:
        yield Finding(
            "standby_unpublished",
            Severity.ERROR,
            f"The standby {standby.kid} is not published.",
            f"{BY_FIX} publishes it.",
            Fix.RECONCILE,
            standby.kid,
        )


def _check_rotation(snapshot: Snapshot) -> Iterator[Finding]:
    active = snapshot.keyset.active
    delay = diagnosis.rotation_delay(snapshot.keyset, snapshot.at, snapshot.settings.times)
    if active and delay > _LATE and not snapshot.running:
        yield Finding(
            "rotation_overdue",
            Severity.WARNING,
            f"A rotation is overdue by {duration(delay)}.",
            "`keyturn rotate` rotates now; find out why the daily run did not.",
            subject=active.kid,
        )


def check_kms(snapshot: Snapshot) -> Iterator[Finding]:
    """In KMS live keys are enabled and ours alone, ended keys disabled, and no key is unknown."""
    if snapshot.kms is None:
        return
    times = snapshot.settings.times
    for key in snapshot.keyset.keys:
        kms_key = snapshot.kms.get(key.kms_key_arn)
        if kms_key or not diagnosis.is_newborn(key.created, snapshot.at, times, _LIMITS):
            yield from _check_live(key, kms_key)
        if key.kms_key_arn in (snapshot.foreign or ()):
            yield _foreign_key(key)
    for arn, ended in _ended_keys(snapshot).items():
        kms_key = snapshot.kms.get(arn)
        if kms_key and not kms_key.pending_deletion:
            condition = (
                "still enabled" if kms_key.enabled else "disabled, but not scheduled for deletion"
            )
            yield Finding(
                "ended_key_kept",
                Severity.ERROR if kms_key.enabled else Severity.WARNING,
                f"Key {ended.kid} is {ended.state}, but {condition} in KMS.",
                f"{BY_FIX} disables it and schedules its deletion.",
                Fix.RECONCILE,
                ended.kid,
            )
    yield from _check_unclaimed(snapshot)


_CONSEQUENCE = {
    State.ACTIVE: (Severity.CRITICAL, "No token can be issued."),
    State.GRACE: (Severity.CRITICAL, "New authorizer containers cannot verify its tokens."),
    State.STANDBY: (Severity.ERROR, "It could not sign when activated."),
}


def _check_live(key: Key, kms_key: KmsKey | None) -> Iterator[Finding]:
    if kms_key and kms_key.enabled:
        return
    severity, consequence = _CONSEQUENCE[key.state]
    if kms_key is None:
        condition, enable = "gone", ""
    elif kms_key.pending_deletion:
        condition = "pending deletion"
        enable = f"`aws kms cancel-key-deletion --key-id {key.kms_key_arn}`, then enable-key; or "
    else:
        condition, enable = "disabled", f"`aws kms enable-key --key-id {key.kms_key_arn}`; or "
    yield Finding(
        f"{key.state}_key_disabled",
        severity,
        f"The {key.state} key {key.kid} is {condition} in KMS. {consequence}",
        f"{enable}`keyturn revoke {key.kid}` replaces it.",
        subject=key.kid,
    )


def _foreign_key(key: Key) -> Finding:
    return Finding(
        "foreign_key",
        Severity.CRITICAL,
        f"The {key.state} key {key.kid} differs from Keyturn's keys in its policy, its grants or its "
        "kind. Others may be able to sign with it.",
        f"`keyturn revoke {key.kid}` replaces it; CloudTrail's PutKeyPolicy and CreateGrant on "
        f"{key.kms_key_arn} say who changed it.",
        subject=key.kid,
    )


def _ended_keys(snapshot: Snapshot) -> dict[str, EndedKey]:
    """The ended keys, including those that only an older generation lists."""
    return {
        key.kms_key_arn: key
        for generation in snapshot.generations
        for key in generation.keyset.ended
    }


def _check_unclaimed(snapshot: Snapshot) -> Iterator[Finding]:
    for key in snapshot.unclaimed:
        if diagnosis.is_unregistrable(snapshot.keyset, key.created, snapshot.at, _LIMITS):
            yield Finding(
                "orphaned_key",
                Severity.WARNING,
                f"KMS key {key.arn} was created by this stack but is in no keyset. It costs money.",
                f"{BY_FIX} destroys it, a few per run.",
                Fix.RECONCILE,
                key.arn,
            )
