"""Reconcile: every ten minutes, whatever an interrupted run left behind is put right.

Each repair looks at the truth afresh and is one of the workflow's own steps, so it may run beside
any of them. Where the truth is missing or unreadable the reads raise, and nothing is touched.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from keyturn.aws.faults import AwsFault, Conflict
from keyturn.aws.keyset_store import Transition
from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Metric, logger, measure
from keyturn.keyset.errors import KeysetError, Refused
from keyturn.keyset.model import Generation, Keyset, Origin
from keyturn.keyset.timing import due_at
from keyturn.keyset.transitions import retire
from keyturn.rotation.create_key import ensure_active, ensure_standby, unclaimed_keys
from keyturn.rotation.publish_jwks import project
from keyturn.rotation.record_changes import record_changes
from keyturn.rotation.task import Outcome

_KEPT_GENERATIONS = 5  # the highest and four older ones
_MOST_SWEPT = 2  # orphans a run
_HOUSEKEEPING = {"record_generations", "prune_generations"}


class RepairFailed(Exception):
    """Some repairs failed; the others were made."""


def run(stack: Stack) -> Outcome:
    """What was repaired, by name; raises RepairFailed after all repairs were tried."""
    stack.keysets.read()
    origin = Origin(stack.clock.new_id(), "reconcile", "")
    made: dict[str, Any] = {}
    failed: list[str] = []
    for repair in (
        retire_overdue_keys,
        restore_active_key,
        restore_standby,
        publish_jwks,
        destroy_ended_keys,
        sweep_orphans,
        record_generations,
        prune_generations,
    ):
        name = repair.__name__
        try:
            if found := repair(stack, replace(origin, reason=name)):
                made[name] = found
        except (AwsFault, KeysetError, ValueError) as error:
            failed.append(f"{name}: {error}")
    try:
        _tell_of_drift(stack, origin, made)
    except AwsFault as fault:
        failed.append(str(fault))
    _measure(stack)
    if failed:
        raise RepairFailed("; ".join(failed))
    return {"outcome": "reconciled", **made}


def retire_overdue_keys(stack: Stack, origin: Origin) -> list[str]:
    """Retire grace keys whose `verify_until` has passed and whose workflow is late or dead."""

    def retiring(kid: str) -> Transition:
        def change(keyset: Keyset, now: datetime) -> Keyset:
            return retire(keyset, kid, now, times=stack.times, ages=stack.ages)

        return change

    grace = stack.keysets.read().keyset.grace
    return [key.kid for key in grace if _made(stack, retiring(key.kid), origin)]


def restore_active_key(stack: Stack, origin: Origin) -> str | None:
    """Activate the standby, or a new key, while nobody signs (a founded keyset has its first run)."""
    generation = stack.keysets.read()
    founding = not generation.keyset.known and _young(stack, generation)
    if generation.keyset.active or founding:
        return None
    return ensure_active(stack, origin)


def restore_standby(stack: Stack, origin: Origin) -> str | None:
    """Create the missing standby, unless a change was made just now and its run may be about to."""
    generation = stack.keysets.read()
    if generation.keyset.standby or _young(stack, generation):
        return None
    return str(ensure_standby(stack, origin)["kid"])


def publish_jwks(stack: Stack, origin: Origin) -> int | None:
    """Bring a JWKS that lags behind up to the truth."""
    seen = stack.well_known.read()
    generation = project(stack, origin)
    return generation.number if not seen or seen.generation < generation.number else None


def destroy_ended_keys(stack: Stack, _origin: Origin) -> list[str]:
    """Disable retired and revoked keys that KMS still keeps, and schedule their deletion.

    Also those that only an older generation remembers: nothing ran for long when they ended.
    """
    window = stack.settings.deletion_window
    ended = {
        key.kid: key.kms_key_arn
        for generation in stack.keysets.generations()
        for key in generation.keyset.ended
    }
    return [kid for kid, arn in ended.items() if stack.kms.destroy(arn, window=window)]


def sweep_orphans(stack: Stack, _origin: Origin) -> list[str]:
    """Destroy old KMS keys of this stack that are in no generation and in no JWKS, two a run."""
    seen = stack.well_known.read()
    if seen is None:
        return []
    oldest = stack.clock.now() - stack.ages.orphan
    orphans = [
        key.arn
        for key in unclaimed_keys(stack)
        if key.created < oldest
        and not (key.enabled and stack.kms.public_jwk(key.arn).kid in seen.keys)
    ][:_MOST_SWEPT]
    for arn in orphans:
        stack.kms.destroy(arn, window=stack.settings.deletion_window)
    return orphans


def record_generations(stack: Stack, _origin: Origin) -> list[int]:
    """Tell and keep what SSM's own events did not: they come on a best-effort basis."""
    return record_changes(stack)


def prune_generations(stack: Stack, _origin: Origin) -> list[int]:
    """Delete from SSM the generations that are old and many, once the bucket holds them."""
    stored = stack.keysets.stored()
    oldest = stack.clock.now() - stack.ages.generation

    def is_old(number: int) -> bool:
        return stack.keysets.parsed(number, stored[number]).at < oldest

    # From the lowest on and without gaps, so that a generation that is there vouches for all above.
    old = list(takewhile(is_old, sorted(stored)[:-_KEPT_GENERATIONS]))
    for number in old:
        try:
            stack.history.keep(number, stored[number])
        except Conflict:  # a write that did not count, behind a pruned generation: say it and go on
            logger.warning("stray_generation", number=number, document=stored[number])
    stack.keysets.delete(old)
    return old


def _tell_of_drift(stack: Stack, origin: Origin, made: Mapping[str, Any]) -> None:
    drift = {name: found for name, found in made.items() if name not in _HOUSEKEEPING}
    if drift:
        stack.event_bus.put([("DriftRepaired", {"op_id": origin.op_id, "repairs": drift})])


def _measure(stack: Stack) -> None:
    keyset, now = stack.keysets.read().keyset, stack.clock.now()
    measure(Metric.STANDBY_KEYS, 1 if keyset.standby else 0)
    if keyset.active and keyset.active.activated:
        activated = keyset.active.activated
        overdue = max(now - due_at(activated, stack.times), timedelta(0))
        measure(Metric.ACTIVE_KEY_OVERDUE, overdue.total_seconds())
        measure(Metric.SECONDS_SINCE_ACTIVATION, (now - activated).total_seconds())


def _young(stack: Stack, generation: Generation) -> bool:
    """Whether this may be the middle of somebody's work."""
    return stack.clock.now() - generation.at < stack.ages.settle


def _made(stack: Stack, change: Transition, origin: Origin) -> bool:
    try:
        stack.keysets.update(change, origin)
    except Refused:
        return False
    return True


@logger.inject_lambda_context(clear_state=True)
def handler(_event: Mapping[str, Any], _context: object) -> Outcome:
    """EventBridge Scheduler's target; its event says nothing."""
    outcome = run(Stack.of_environment())
    logger.info("reconcile", **outcome)
    return outcome
