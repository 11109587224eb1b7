"""Executions of the state machine."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self, cast

from keyturn.aws.clients import Clients
from keyturn.aws.clock import Clock
from keyturn.aws.faults import translate_errors

RUNNING, SUCCEEDED = "RUNNING", "SUCCEEDED"
UNKNOWN = "unknown"
_EMERGENCY = "emergency"
_CLIENT = "client_id"
_MODES = ("scheduled", "rollback", _EMERGENCY)
_MAX_TEXT = 256  # characters, as in PlanRotation


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay of an execution in a state; `exited` is None while it lasts."""

    state: str
    entered: datetime
    exited: datetime | None


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution; `stopped` is None while it runs."""

    arn: str
    status: str
    started: datetime
    stopped: datetime | None


@dataclass(frozen=True, slots=True)
class ExecutionRequest:
    """The request in an execution's input, as far as it can be parsed: the input may be any JSON.

    `is_valid` says whether these members are valid for the workflow (docs/workflow.md, "Input").
    """

    mode: str
    started_by: str
    kids: tuple[str, ...]  # of an emergency
    is_valid: bool
    cutoffs: frozenset[tuple[str, str]] = frozenset()  # of an emergency: claims with digests

    @classmethod
    def parse(cls, text: str) -> Self:
        """Never raises; a member that is missing or not a text becomes `unknown`."""
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            parsed = None
        members = parsed if isinstance(parsed, dict) else {}
        mode, started_by = (_text(members.get(name)) for name in ("mode", "started_by"))
        raw_kids = members.get("kids")
        kids = tuple(filter(None, map(_text, raw_kids if isinstance(raw_kids, list) else ())))
        cutoffs = _cutoffs(members) if mode == _EMERGENCY else frozenset()
        has_release = mode == _EMERGENCY and bool(members.get("release"))
        if mode != _EMERGENCY:
            is_complete = kids == ()
        else:
            is_complete = [*kids] == (raw_kids or []) and bool(kids or cutoffs or has_release)
        is_valid = mode in _MODES and bool(started_by) and is_complete
        return cls(mode or UNKNOWN, started_by or UNKNOWN, kids, is_valid, cutoffs)

    @property
    def is_emergency(self) -> bool:
        """Whether it asks to revoke keys or tokens, and says which."""
        return self.mode == _EMERGENCY and bool(self.kids or self.cutoffs)


def _cutoffs(members: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """Whose tokens the request refuses: those it cuts off and those of clients it blocks."""
    cut_off = members.get("cut_off")
    by_claim = {**(cut_off if isinstance(cut_off, dict) else {}), "block": members.get("block")}
    return frozenset(
        (_CLIENT if claim == "block" else claim, digest)
        for claim, digests in by_claim.items()
        for digest in (digests if isinstance(digests, list) else ())
        if isinstance(digest, str)
    )


class Executions:
    """Start, follow and stop the workflow."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock

    def start(self, state_machine_arn: str, event: Mapping[str, Any]) -> str:
        """Start an execution, named by mode and time for readable lists; returns its ARN."""
        started = self._clock.now().strftime("%Y%m%dT%H%M%SZ")
        with translate_errors("states:StartExecution"):
            return self._clients.states.start_execution(
                stateMachineArn=state_machine_arn,
                name=f"{event['mode']}-{started}-{self._clock.new_id()}",
                input=json.dumps(event),
            )["executionArn"]

    def status(self, execution_arn: str) -> str:
        """RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""
        with translate_errors("states:DescribeExecution"):
            return self._clients.states.describe_execution(executionArn=execution_arn)["status"]

    def cause(self, execution_arn: str) -> str:
        """Why an execution failed, as Step Functions puts it."""
        with translate_errors("states:DescribeExecution"):
            description = self._clients.states.describe_execution(executionArn=execution_arn)
        return description.get("cause", "no cause is given")

    def read_request(self, execution_arn: str) -> ExecutionRequest:
        """The input that an execution was started with."""
        with translate_errors("states:DescribeExecution"):
            description = self._clients.states.describe_execution(executionArn=execution_arn)
        return ExecutionRequest.parse(description.get("input", ""))

    def latest(self, state_machine_arn: str, status: str) -> list[Execution]:
        """The latest hundred executions with this status, the newest first."""
        with translate_errors("states:ListExecutions"):
            items = self._clients.states.list_executions(
                stateMachineArn=state_machine_arn, statusFilter=cast("Any", status), maxResults=100
            )["executions"]
        executions = [
            Execution(item["executionArn"], item["status"], item["startDate"], item.get("stopDate"))
            for item in items
        ]
        return sorted(executions, key=lambda execution: execution.started, reverse=True)

    def visits(self, execution_arn: str) -> list[Visit]:
        """The states that the execution went through, in order."""
        with translate_errors("states:GetExecutionHistory"):
            pages = self._clients.states.get_paginator("get_execution_history").paginate(
                executionArn=execution_arn
            )
            events = [event for page in pages for event in page["events"]]
        visits: list[Visit] = []
        for event in events:
            if entered := event.get("stateEnteredEventDetails"):
                visits.append(Visit(entered["name"], event["timestamp"], None))
            elif "stateExitedEventDetails" in event and visits:
                visits[-1] = Visit(visits[-1].state, visits[-1].entered, event["timestamp"])
        return visits

    def stop_all(self, state_machine_arn: str) -> None:
        """Stop all running executions: a state machine that waits cannot be deleted."""
        with translate_errors("states:ListExecutions"):
            pages = self._clients.states.get_paginator("list_executions").paginate(
                stateMachineArn=state_machine_arn, statusFilter="RUNNING"
            )
            running = [item["executionArn"] for page in pages for item in page["executions"]]
        for arn in running:
            with translate_errors("states:StopExecution"):
                self._clients.states.stop_execution(
                    executionArn=arn, cause="the stack is being deleted"
                )


def _text(value: Any) -> str:
    """A text that UTF-8 can encode; empty for anything else, and for a text that is too long."""
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        return ""
    return value.encode(errors="replace").decode()
