"""PublishJwks: make the JWKS match the keyset; keys that verifiers can see become `published`."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from keyturn.aws.faults import Conflict
from keyturn.aws.keyset.well_known import Projection, foreign_members, is_unchanged
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.keyset import planning, timing
from keyturn.keyset.errors import KeysetFault
from keyturn.keyset.model import Generation, Key, Keyset, Origin
from keyturn.keyset.transitions import publish
from keyturn.rotation import births
from keyturn.rotation.branches import find_branches
from keyturn.rotation.task import Outcome, StandbyOutput, Step, StepInput, rfc3339, task
from keyturn.tokens.jwk import PublicJwk, certify

_ATTEMPTS = 20
_PATIENCE = timedelta(seconds=5)  # for a new key, which KMS did know when it was registered


class JwksBusy(KeysetFault):
    """Too many writers wrote the JWKS at the same time."""


class JwksAhead(KeysetFault):
    """The JWKS shows a recorded generation that is gone from SSM; the JWKS must not go back."""


class PublishInput(StepInput):
    """Any step's input; `standby` is set if the run is about one."""

    standby: StandbyOutput | None = None


def run(stack: Stack, event: PublishInput) -> Outcome:
    """Outcome `published`, with the time from which the standby may sign.

    `overtaken` if the standby that this run is about is no longer the standby.
    """
    generation = project(stack, event.origin)

    standby = generation.keyset.standby
    if event.standby and not (standby and standby.kid == event.standby.kid and standby.published):
        return {"outcome": "overtaken", "generation": generation.number}
    return {
        "outcome": "published",
        "generation": generation.number,
        **_may_sign(stack, generation.keyset),
    }


def project(stack: Stack, origin: Origin) -> Generation:
    """Make the JWKS match the truth, mark its keys as published; returns its generation.

    Compares content; the object's own metadata decides nothing. Raises JwksAhead, JwksBusy.
    """
    for _ in range(_ATTEMPTS):
        generation = stack.keysets.read()
        projection = stack.well_known.read()
        if (
            projection
            and projection.generation > generation.number
            and not _is_forged(stack, projection)
        ):
            continue
        keys = _jwks(stack, generation.keyset, projection)
        if projection is None or not stack.well_known.matches(projection, generation.number, keys):
            _write(stack, generation, keys, projection)
            continue
        updated = _mark_published(stack, projection, origin)
        if updated.number == projection.generation:
            with suppress(Conflict):  # another writer was faster
                stack.well_known.write_metadata()
            return updated
    raise JwksBusy(f"the JWKS was still behind the keyset after {_ATTEMPTS} attempts")


def _is_forged(stack: Stack, projection: Projection) -> bool:
    """Whether a JWKS ahead of SSM was forged: SSM shows every real generation within ε.

    Raises JwksAhead if its generation was recorded, which means that it was deleted from SSM.
    """
    stack.clock.sleep(stack.times.clock_skew)
    lineage = (
        stack.keysets.read_lineage()
    )  # read once: the generation may be restored at any moment
    if lineage.head.number >= projection.generation:
        return False
    if any(branch.number == projection.generation for branch in find_branches(stack, lineage)):
        raise JwksAhead(
            f"the JWKS shows generation {projection.generation}, which is not in SSM: run `keyturn repair`"
        )
    return True


def _mark_published(stack: Stack, projection: Projection, origin: Origin) -> Generation:
    def change(keyset: Keyset, now: datetime) -> Keyset:
        return publish(keyset, projection.keys, now)

    return stack.keysets.update(change, origin)


def _write(
    stack: Stack, generation: Generation, keys: Sequence[PublicJwk], projection: Projection | None
) -> None:
    is_late = projection is None or projection.generation < generation.number
    if projection and not is_late and not is_unchanged(projection, generation.number, keys):
        members = foreign_members(projection.body, generation.number, [key.kid for key in keys])
        logger.warning("jwks_tampered", generation=projection.generation, members=members)
    try:
        stack.well_known.write(generation.number, keys, projection)
    except Conflict:
        stack.clock.sleep(stack.clock.fraction() * 0.2)


def _jwks(stack: Stack, keyset: Keyset, projection: Projection | None) -> list[PublicJwk]:
    """Exactly the live keys. A key already in the JWKS needs no call: its kid certifies it."""
    published_keys = projection.keys if projection else {}
    return [published_keys.get(key.kid) or _public_jwk(stack, key) for key in keyset.keys]


def _public_jwk(stack: Stack, key: Key) -> PublicJwk:
    patience = min(_PATIENCE, timedelta(seconds=stack.times.write_delay / 2))  # ends before ω does

    def ask() -> PublicJwk:
        return certify(stack.kms.public_jwk(key.kms_key_arn), key.kid)

    return births.wait_until_known(stack, key.created, ask, patience=patience)


def _may_sign(stack: Stack, keyset: Keyset) -> Outcome:
    """When the standby may sign, and what it waits for; at once while there is no active key."""
    if keyset.active is None or keyset.standby is None or keyset.standby.published is None:
        return {"may_sign_at": rfc3339(stack.clock.now())}
    wait = planning.takeover(keyset, keyset.standby.published, stack.times, stack.limits)
    wake = timing.wake_after(wait.after, stack.times)
    return {"may_sign_at": rfc3339(wake), "reason": wait.reason.value}


handler = task(Step.PUBLISH_JWKS, PublishInput, run)
