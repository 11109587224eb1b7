"""Checks of the environment of the keys: executions, schedules, clock."""

from collections.abc import Iterator
from datetime import timedelta

from keyturn.cli.doctor.findings import BY_FIX, Finding, Fix, Severity
from keyturn.cli.formatting import duration, instant
from keyturn.cli.snapshot import Snapshot
from keyturn.keyset import timing

_RUNBOOK = "docs/runbooks/stuck-execution.md"
_PATIENCE = timedelta(hours=1)  # more than any Task with all its retries


def check_executions(snapshot: Snapshot) -> Iterator[Finding]:
    """Every failure has been resolved, and no execution takes longer than its waits."""
    for failure in snapshot.unresolved or ():
        execution = failure.execution
        if failure.request.is_valid:
            detail = "and no later run has succeeded"
            remedy = (
                f"`aws stepfunctions redrive-execution --execution-arn {execution.arn}` resumes a "
                "rotation; start an emergency again instead."
            )
        else:
            detail = "whose input is invalid: it cannot have changed anything"
            remedy = "Start it again with the `keyturn` command; CloudTrail says who started it."
        yield Finding(
            "failed_execution",
            Severity.ERROR,
            f"An execution {execution.status.replace('_', ' ').lower()} at "
            f"{instant(execution.stopped)}, {detail}.",
            f"{remedy} {_RUNBOOK}",
            subject=execution.arn,
        )
    times = snapshot.settings.times
    waits = timing.publication_wait(times) + timing.grace_period(times, times.token_lifetime)
    for run in snapshot.running or ():
        if snapshot.at - run.started > waits + _PATIENCE:
            yield Finding(
                "stuck_execution",
                Severity.WARNING,
                f"An execution has been running for {duration(snapshot.at - run.started)}, now in {run.state}.",
                f"{_RUNBOOK}, step 4.",
                subject=run.arn,
            )


def check_schedules(snapshot: Snapshot) -> Iterator[Finding]:
    """The schedules that start rotation and reconcile are enabled."""
    for schedule in snapshot.schedules or ():
        if schedule.expression is None:
            yield Finding(
                "schedule_missing",
                Severity.ERROR,
                f"There is no schedule {schedule.name}.",
                "Create it again with the expression and the target in template.yaml: "
                "CloudFormation does not notice that it is gone.",
                subject=schedule.name,
            )
        elif not schedule.enabled:
            yield Finding(
                "schedule_disabled",
                Severity.ERROR,
                f"The schedule {schedule.name} ({schedule.expression}) is disabled.",
                f"{BY_FIX} enables it.",
                Fix.ENABLE_SCHEDULE,
                schedule.name,
            )


def check_clock(snapshot: Snapshot) -> Iterator[Finding]:
    """This machine's clock agrees with AWS's: the output of commands and `--direct` rely on it."""
    allowed = timedelta(seconds=max(snapshot.settings.times.clock_skew, 1))
    if snapshot.clock_offset is not None and abs(snapshot.clock_offset) > allowed:
        side = "behind" if snapshot.clock_offset > timedelta(0) else "ahead of"
        yield Finding(
            "clock_skew",
            Severity.WARNING,
            f"This machine's clock is {duration(snapshot.clock_offset)} {side} AWS's.",
            "Set it (timedatectl set-ntp true); do not use --direct until then.",
        )


def check_readable(snapshot: Snapshot) -> Iterator[Finding]:
    """Everything could be read: whatever could not may hide a problem."""
    for part, detail in snapshot.read_errors.items():
        if part != "public_jwks":
            yield Finding(
                "unreadable",
                Severity.WARNING,
                f"{part.replace('_', ' ')} could not be read: {detail}.",
                "Use credentials that may read it (docs/operating.md).",
                subject=part,
            )
