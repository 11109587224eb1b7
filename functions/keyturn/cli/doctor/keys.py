"""Checks of the keys: the keyset itself, and KMS beside it."""

from collections.abc import Iterator
from datetime import timedelta

from keyturn.aws.kms_keys import KmsKey
from keyturn.cli.doctor.findings import BY_FIX, Finding, Fix, Severity
from keyturn.cli.observation import Observed
from keyturn.cli.wording import duration, instant
from keyturn.keyset import timing
from keyturn.keyset.model import EndedKey, Key
from keyturn.keyset.states import State
from keyturn.keyset.timing import Limits

_LIMITS = Limits()
_LATE = timedelta(days=1)  # RotationSchedule tries once a day


def check_keyset(seen: Observed) -> Iterator[Finding]:
    """A signer, a published standby behind it, and nobody who has outstayed."""
    keyset, times = seen.keyset, seen.settings.times
    if keyset.active is None:
        yield Finding(
            "no_active_key",
            Severity.CRITICAL,
            "No key is active: the issuer answers 503.",
            f"{BY_FIX} has the standby, or a new key, sign at once.",
            Fix.RECONCILE,
        )
    yield from _standby(seen)
    for key in keyset.grace:
        if key.verify_until and seen.at > timing.retire_after(key.verify_until, times):
            yield Finding(
                "overdue_key",
                Severity.WARNING,
                f"Key {key.kid} should have retired: it verifies no more since "
                f"{instant(key.verify_until)}.",
                f"{BY_FIX} retires it.",
                Fix.RECONCILE,
                key.kid,
            )
    yield from _rotation(seen)


def _standby(seen: Observed) -> Iterator[Finding]:
    standby, now = seen.keyset.standby, seen.at
    if standby is None:
        wait = seen.generation.at + _LIMITS.settle - now
        when = (
            f" From {duration(wait)} on: before, a run may be about to."
            if wait > timedelta(0)
            else ""
        )
        yield Finding(
            "no_standby",
            Severity.ERROR,
            "There is no standby key: an emergency would have to sign with an unknown one.",
            f"{BY_FIX} creates and publishes one.{when}",
            Fix.RECONCILE,
        )
    elif standby.published is None and now - seen.generation.at > _LIMITS.settle:
        yield Finding(
            "standby_unpublished",
            Severity.ERROR,
            f"The standby {standby.kid} is not published.",
            f"{BY_FIX} publishes it.",
            Fix.RECONCILE,
            standby.kid,
        )


def _rotation(seen: Observed) -> Iterator[Finding]:
    active = seen.keyset.active
    if active is None or active.activated is None or seen.running:
        return
    late = seen.at - timing.due_at(active.activated, seen.settings.times)
    if late > _LATE:
        yield Finding(
            "rotation_overdue",
            Severity.WARNING,
            f"A rotation is overdue by {duration(late)}.",
            "`keyturn rotate` makes it now; look why the daily run did not.",
            subject=active.kid,
        )


def check_kms(seen: Observed) -> Iterator[Finding]:
    """KMS has every live key enabled, every ended key disabled, and no key that nobody knows."""
    if seen.kms is None:
        return
    for key in seen.keyset.keys:
        yield from _live(key, seen.kms.get(key.kms_key_arn))
    for arn, ended in _ended(seen).items():
        kept = seen.kms.get(arn)
        if kept and not kept.pending_deletion:
            how = "still enabled" if kept.enabled else "disabled, but not on its way out"
            yield Finding(
                "ended_key_kept",
                Severity.ERROR if kept.enabled else Severity.WARNING,
                f"Key {ended.kid} is {ended.state}, and in KMS {how}.",
                f"{BY_FIX} disables it and schedules its deletion.",
                Fix.RECONCILE,
                ended.kid,
            )
    yield from _unclaimed(seen)


_CONSEQUENCE = {
    State.ACTIVE: (Severity.CRITICAL, "No token can be issued."),
    State.GRACE: (Severity.CRITICAL, "New authorizer containers cannot verify its tokens."),
    State.STANDBY: (Severity.ERROR, "It cannot sign when its turn comes."),
}


def _live(key: Key, kept: KmsKey | None) -> Iterator[Finding]:
    if kept and kept.enabled:
        return
    severity, consequence = _CONSEQUENCE[key.state]
    if kept is None:
        how, enable = "gone", ""
    elif kept.pending_deletion:
        how = "pending deletion"
        enable = f"`aws kms cancel-key-deletion --key-id {key.kms_key_arn}`, then enable-key; or "
    else:
        how, enable = "disabled", f"`aws kms enable-key --key-id {key.kms_key_arn}`; or "
    yield Finding(
        f"{key.state}_key_disabled",
        severity,
        f"The {key.state} key {key.kid} is {how} in KMS. {consequence}",
        f"{enable}`keyturn revoke {key.kid}` has another take its place.",
        subject=key.kid,
    )


def _ended(seen: Observed) -> dict[str, EndedKey]:
    """Also those that only an older generation remembers."""
    return {
        key.kms_key_arn: key for generation in seen.generations for key in generation.keyset.ended
    }


def _unclaimed(seen: Observed) -> Iterator[Finding]:
    for key in seen.unclaimed:
        if seen.at - key.created > _LIMITS.orphan:
            yield Finding(
                "orphaned_key",
                Severity.WARNING,
                f"KMS key {key.arn} has this stack's tag and is in no keyset. It costs money.",
                f"{BY_FIX} destroys it, a few a run.",
                Fix.RECONCILE,
                key.arn,
            )
