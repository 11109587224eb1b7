"""Executions of the state machine and the schedules that start them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from keyturn.aws.clients import Clients
from keyturn.aws.clock import Clock
from keyturn.aws.faults import Absent, translated


class Executions:
    """Start and stop the workflow, for deployment and teardown."""

    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock

    def run(self, state_machine_arn: str, event: Mapping[str, Any], *, patience: float) -> str:
        """Start an execution and wait for its end, at most `patience` seconds; returns its status."""
        with translated("states:StartExecution"):
            started = self._clients.states.start_execution(
                stateMachineArn=state_machine_arn,
                name=self._clock.new_id(),
                input=json.dumps(event),
            )
        deadline = self._clock.monotonic() + patience
        while True:
            with translated("states:DescribeExecution"):
                status = self._clients.states.describe_execution(
                    executionArn=started["executionArn"]
                )["status"]
            if status != "RUNNING" or self._clock.monotonic() > deadline:
                return status
            self._clock.sleep(1)

    def stop_all(self, state_machine_arn: str) -> None:
        """Stop what runs: a state machine in a Wait state cannot be deleted."""
        with translated("states:ListExecutions"):
            pages = self._clients.states.get_paginator("list_executions").paginate(
                stateMachineArn=state_machine_arn, statusFilter="RUNNING"
            )
            running = [item["executionArn"] for page in pages for item in page["executions"]]
        for arn in running:
            with translated("states:StopExecution"):
                self._clients.states.stop_execution(
                    executionArn=arn, cause="the stack is being deleted"
                )

    def stop_schedules(self, names: Iterable[str]) -> None:
        """Disable these schedules, so that nothing is started any more."""
        for name in names:
            try:
                with translated("scheduler:GetSchedule"):
                    schedule = self._clients.scheduler.get_schedule(Name=name)
            except Absent:
                continue
            kept: Any = {
                field: schedule[field]
                for field in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")
            }
            with translated("scheduler:UpdateSchedule"):
                self._clients.scheduler.update_schedule(**kept, State="DISABLED")
