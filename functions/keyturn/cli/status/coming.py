"""What happens next, with its instant."""

from dataclasses import dataclass
from datetime import datetime

from keyturn.cli.observation import Observed
from keyturn.cli.status.lives import next_turn
from keyturn.keyset import timing


@dataclass(frozen=True, slots=True)
class Coming:
    """Something that is due at an instant: a stable name, and words for people."""

    at: datetime
    event: str
    kid: str | None
    words: str


def coming(seen: Observed) -> list[Coming]:
    """Everything that is due, in its order; what is past is left to the doctor."""
    found = [*_of_rotation(seen), *_of_grace(seen), *_of_kms(seen)]
    return sorted((one for one in found if one.at > seen.at), key=lambda one: one.at)


def _of_rotation(seen: Observed) -> list[Coming]:
    keyset, times = seen.keyset, seen.settings.times
    found = []
    if keyset.active and keyset.standby and keyset.standby.published:
        ready = timing.may_sign_after(keyset.standby.published, times)
        found.append(
            Coming(ready, "may_sign", keyset.standby.kid, "every verifier knows the standby")
        )
    if keyset.active:
        turn = next_turn(keyset, times, seen.at)
        kid = keyset.standby.kid if keyset.standby else None
        found.append(Coming(turn, "rotation_due", kid, "a rotation is due"))
    return found


def _of_grace(seen: Observed) -> list[Coming]:
    times = seen.settings.times
    found = []
    for key in seen.keyset.grace:
        if key.verify_until:
            until = key.verify_until
            limit = timing.roll_back_before(until, times)
            retire = timing.retire_after(until, times)
            found += [
                Coming(limit, "rollback_ends", key.kid, "too late to roll back"),
                Coming(until, "verification_ends", key.kid, "its last token is dead"),
                Coming(retire, "retirement", key.kid, "retires, out of the JWKS"),
            ]
    return found


def _of_kms(seen: Observed) -> list[Coming]:
    by_arn = {key.kms_key_arn: key.kid for one in seen.generations for key in one.keyset.known}
    return [
        Coming(key.deletion, "kms_deletion", by_arn.get(key.arn), "KMS deletes the key")
        for key in (seen.kms or {}).values()
        if key.deletion
    ]
