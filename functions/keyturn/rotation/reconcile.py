"""Reconcile: every ten minutes, repair whatever an interrupted run left behind.

Deleted generations are restored from the history first. Each repair reads the truth anew and uses
the workflow's own steps, so it may run concurrently with any of them. If the truth is missing or
was written by a newer release, the reads raise and nothing is changed.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from keyturn.aws.faults import AwsFault
from keyturn.aws.keyset.kms_keys import ForeignKey
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.aws.telemetry import Metric, measure
from keyturn.keyset import capacity, diagnosis, token_revocation, transitions
from keyturn.keyset.errors import KeysetError, KeysetFault
from keyturn.keyset.model import Generation, Keyset, Origin
from keyturn.keyset.states import State
from keyturn.rotation import prune_generations as pruning
from keyturn.rotation import record_changes, repair_keyset, unlawful
from keyturn.rotation.branches import list_foreign_objects
from keyturn.rotation.create_key import ensure_active, ensure_standby
from keyturn.rotation.orphans import find_orphans
from keyturn.rotation.publish_jwks import project
from keyturn.rotation.put_back import restore_generations
from keyturn.rotation.repairs import Repair
from keyturn.rotation.task import Outcome

_PATIENCE = timedelta(seconds=30)  # for KMS to know a new key; delays the other repairs
_MAX_NAMED = 20
_HOUSEKEEPING = {Repair.FORGET_CUTOFFS, Repair.RECORD_GENERATIONS, Repair.PRUNE_GENERATIONS}


class RepairFailed(Exception):
    """Some repairs failed; all others were carried out."""


class SweepFailed(KeysetFault):
    """Some KMS keys could not be destroyed; the message names them."""


def run(stack: Stack) -> Outcome:
    """What was repaired, by name; raises RepairFailed after all repairs have been tried."""
    origin = Origin(stack.clock.new_id(), "reconcile", "")
    repairs: dict[str, Any] = {}
    failures: list[str] = []
    try:
        if restored := restore_generations(stack):
            repairs[Repair.RESTORE_GENERATIONS] = restored
    except AwsFault as fault:  # the other repairs work without the history
        failures.append(f"{Repair.RESTORE_GENERATIONS}: {fault}")
    stack.keysets.read()
    for repair, work in _REPAIRS.items():
        try:
            if result := work(stack, replace(origin, reason=repair.value)):
                repairs[repair] = result
        except Exception as error:  # noqa: BLE001 - a failed repair never stops the others
            failures.append(f"{repair}: {_text(error)}")
    try:
        _announce_drift(stack, origin, repairs)
        _measure(stack)
    except Exception as error:  # noqa: BLE001 - nor does a failure to report them
        failures.append(_text(error))
    if failures:
        raise RepairFailed("; ".join(failures))
    return {"outcome": "reconciled", **repairs}


def join_branches(stack: Stack, origin: Origin) -> int | None:
    """Carry over what ended on a branch that was deleted, then overtaken before it was restored."""
    generation = repair_keyset.join_branches(stack, origin)
    return generation.number if generation else None


def retire_overdue_keys(stack: Stack, origin: Origin) -> list[str]:
    """Retire grace keys whose `verify_until` has passed and whose execution is late or dead."""

    def change(keyset: Keyset, now: datetime) -> Keyset:
        return transitions.retire_overdue(keyset, now, times=stack.times, limits=stack.limits)

    grace = stack.keysets.read().keyset.grace
    ended = stack.keysets.update(change, origin).keyset.ended
    retired = {key.kid for key in ended if key.state is State.RETIRED}
    return [key.kid for key in grace if key.kid in retired]


def forget_cutoffs(stack: Stack, origin: Origin) -> int:
    """Drop cut-offs whose last token has expired, to free their room; returns how many."""

    def change(keyset: Keyset, now: datetime) -> Keyset:
        return token_revocation.forget_cutoffs(keyset, now, stack.limits)

    before = stack.keysets.read().keyset.cutoffs
    forgotten = len(before) - len(stack.keysets.update(change, origin).keyset.cutoffs)
    if forgotten:
        project(stack, origin)  # or publish_jwks would report a lagging JWKS
    return forgotten


def restore_active_key(stack: Stack, origin: Origin) -> str | None:
    """Activate the standby, or a new key, if no key is active and no first run is about to."""
    generation = stack.keysets.read()
    is_starting = not generation.keyset.all_keys and not _is_settled(stack, generation)
    if generation.keyset.active or is_starting:
        return None
    return ensure_active(stack, origin, patience=_PATIENCE)


def restore_standby(stack: Stack, origin: Origin) -> str | None:
    """Create the missing standby, unless a run may be about to; at most one key per run."""
    generation = stack.keysets.read()
    if generation.keyset.standby or not _is_settled(stack, generation):
        return None
    return str(ensure_standby(stack, origin, patience=_PATIENCE)["kid"])


def publish_jwks(stack: Stack, origin: Origin) -> int | None:
    """Make a JWKS that lags behind or was tampered with match the truth again."""
    before = stack.well_known.read()
    generation = project(stack, origin)
    return None if stack.well_known.read() == before else generation.number


def destroy_ended_keys(stack: Stack, _origin: Origin) -> list[str]:
    """Disable listed keys that have ended and that KMS still has, and schedule their deletion."""
    ended = stack.keysets.read().keyset.ended
    return _destroy(stack, {key.kms_key_arn: key.kid for key in ended})


def sweep_orphans(stack: Stack, _origin: Origin) -> list[str]:
    """Destroy KMS keys of this stack that no keyset will ever list and that no JWKS contains."""
    return _destroy(stack, {arn: arn for arn in find_orphans(stack)})


def remove_unlawful_generations(stack: Stack, _origin: Origin) -> list[str]:
    """Report and remove parameters that look like generations and do not count."""
    return unlawful.remove_unlawful(stack)


def step_over_unlawful_generations(stack: Stack, origin: Origin) -> int | None:
    """Write the keyset again above unlawful parameters that are in its successor's place."""
    return unlawful.step_over(stack, origin)


def record_generations(stack: Stack, _origin: Origin) -> list[int]:
    """Announce and record generations whose SSM change event, which is best-effort, was lost."""
    return record_changes.record_changes(stack)


def prune_generations(stack: Stack, _origin: Origin) -> list[int]:
    """Delete generations that are too old or too many from SSM, once the bucket holds them."""
    return pruning.prune_generations(stack)


def check_live_keys(stack: Stack, _origin: Origin) -> None:
    """Check that no live key's policy or grants admit another principal.

    Anyone who may change a key's policy can add one. Raises ForeignKey, which names all such keys.
    """
    live = (stack.kms.find(key.kms_key_arn) for key in stack.keysets.read().keyset.keys)
    if foreign := stack.kms.find_foreign(filter(None, live)):
        raise ForeignKey(*foreign)


def report_foreign_objects(stack: Stack, _origin: Origin) -> None:
    """Report objects in the history that are not Keyturn's, for as long as they exist."""
    if foreign := list_foreign_objects(stack):
        logger.warning("foreign_objects", count=len(foreign), objects=foreign[:_MAX_NAMED])
        measure(Metric.FOREIGN_OBJECTS, len(foreign))


_REPAIRS: dict[Repair, Callable[[Stack, Origin], Any]] = {
    Repair.JOIN_BRANCHES: join_branches,
    Repair.RETIRE_OVERDUE_KEYS: retire_overdue_keys,
    Repair.FORGET_CUTOFFS: forget_cutoffs,
    Repair.RESTORE_ACTIVE_KEY: restore_active_key,
    Repair.RESTORE_STANDBY: restore_standby,
    Repair.REMOVE_UNLAWFUL_GENERATIONS: remove_unlawful_generations,
    Repair.STEP_OVER_UNLAWFUL_GENERATIONS: step_over_unlawful_generations,
    Repair.PUBLISH_JWKS: publish_jwks,  # after every repair that appends a generation
    Repair.DESTROY_ENDED_KEYS: destroy_ended_keys,
    Repair.RECORD_GENERATIONS: record_generations,
    Repair.PRUNE_GENERATIONS: prune_generations,
    Repair.SWEEP_ORPHANS: sweep_orphans,
    Repair.CHECK_LIVE_KEYS: check_live_keys,
    Repair.REPORT_FOREIGN_OBJECTS: report_foreign_objects,
}


def _destroy(stack: Stack, names: Mapping[str, str]) -> list[str]:
    """The names of the keys that were destroyed now; raises SweepFailed after all were tried."""
    destroyed, failures = [], []
    for arn, name in names.items():
        try:
            if stack.kms.destroy(arn, window=stack.settings.deletion_window):
                destroyed.append(name)
        except Exception as error:  # noqa: BLE001 - a failed key never stops the others
            failures.append(f"{name}: {_text(error)}")
    if failures:
        raise SweepFailed("; ".join(failures))
    return destroyed


def _announce_drift(stack: Stack, origin: Origin, repairs: Mapping[str, Any]) -> None:
    drift = {name: result for name, result in repairs.items() if name not in _HOUSEKEEPING}
    if drift:
        stack.event_bus.put([("DriftRepaired", {"op_id": origin.op_id, "repairs": drift})])


def _measure(stack: Stack) -> None:
    keyset, now = stack.keysets.read().keyset, stack.clock.now()
    measure(Metric.STANDBY_KEYS, 1 if keyset.standby else 0)
    if keyset.active and keyset.active.activated:
        delay = diagnosis.rotation_delay(keyset, now, stack.times)
        measure(Metric.ACTIVE_KEY_OVERDUE, delay.total_seconds())
        measure(Metric.SECONDS_SINCE_ACTIVATION, (now - keyset.active.activated).total_seconds())
    if keyset.cutoffs:  # without any there is ample room, and no need to pay for a metric
        measure(Metric.CUT_OFFS, len(keyset.cutoffs))
        measure(Metric.CUT_OFF_ROOM, capacity.cutoff_room(keyset, stack.limits))


def _is_settled(stack: Stack, generation: Generation) -> bool:
    """Whether no run is still at work on it."""
    return stack.clock.now() >= diagnosis.settled_at(generation, stack.limits)


def _text(error: Exception) -> str:
    """The error's message if it cannot contain foreign text, else only its type."""
    if isinstance(error, AwsFault | KeysetError | ValueError):
        return str(error)
    return type(error).__name__


@logger.inject_lambda_context(clear_state=True)
def handler(_event: Mapping[str, Any], _context: object) -> Outcome:
    """The target of EventBridge Scheduler; the event is ignored."""
    outcome = run(Stack.from_environment())
    logger.info("reconcile", **outcome)
    return outcome
