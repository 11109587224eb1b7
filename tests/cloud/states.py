"""Step Functions' executions, and the status of a stack in CloudFormation."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from tests.cloud.errors import refused
from tests.cloud.wire import Call, Listing, Wire


class Run(Protocol):
    """An execution, as far as Step Functions shows it."""

    failure: str | None  # why it failed

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        ...


@dataclass
class _Execution:
    machine: str
    input: str
    started: datetime
    run: Run
    stopped: bool = False

    @property
    def status(self) -> str:
        if self.stopped:
            return "ABORTED"
        if not self.run.over:
            return "RUNNING"
        return "FAILED" if self.run.failure else "SUCCEEDED"


class StatesClient:
    """boto3's stepfunctions, as far as the product calls it; `start` runs an execution."""

    def __init__(self, wire: Wire, epoch: datetime, start: Callable[[str], Run]) -> None:
        self._wire, self._epoch, self._start = wire, epoch, start
        self._executions: dict[str, _Execution] = {}

    def start_execution(self, stateMachineArn, name, input) -> dict[str, Any]:  # noqa: A002, N803
        """StartExecution: the same name and input again is the same execution."""
        arn = f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{name}"

        def effect(at: float) -> dict[str, Any]:
            there = self._executions.get(arn)
            if there and there.input != input:
                raise refused("ExecutionAlreadyExists")
            if not there:
                started = self._epoch + timedelta(seconds=at)
                self._executions[arn] = _Execution(
                    stateMachineArn, input, started, self._start(input)
                )
            return {"executionArn": arn}

        return self._carry("StartExecution", effect, name=name, input=input)

    def describe_execution(self, executionArn) -> Mapping[str, Any]:  # noqa: N803
        """DescribeExecution."""

        def effect(_at: float) -> dict[str, Any]:
            execution = self._there(executionArn)
            description = {"status": execution.status, "input": execution.input}
            cause = {"cause": execution.run.failure} if execution.run.failure else {}
            return {**description, **cause}

        return self._carry("DescribeExecution", effect, executionArn=executionArn)

    def stop_execution(self, executionArn, cause) -> dict[str, Any]:  # noqa: N803
        """StopExecution: has no effect on an execution that has ended."""

        def effect(_at: float) -> dict[str, Any]:
            execution = self._there(executionArn)
            execution.stopped = execution.stopped or not execution.run.over
            return {}

        return self._carry("StopExecution", effect, executionArn=executionArn)

    def get_paginator(self, name: str) -> Listing:
        """The one listing that the product requests."""
        assert name == "list_executions"
        return Listing(self._pages)

    def _pages(self, stateMachineArn, statusFilter) -> Iterator[dict[str, Any]]:  # noqa: N803
        def effect(_at: float) -> dict[str, Any]:
            return {
                "executions": [
                    {"executionArn": arn, "status": one.status, "startDate": one.started}
                    for arn, one in self._executions.items()
                    if (one.machine, one.status) == (stateMachineArn, statusFilter)
                ]
            }

        yield self._carry("ListExecutions", effect, stateMachineArn=stateMachineArn)

    def _there(self, arn: str) -> _Execution:
        if arn not in self._executions:
            raise refused("ExecutionDoesNotExist")
        return self._executions[arn]

    def _carry(self, name: str, effect: Callable[[float], Any], /, **arguments: Any) -> Any:
        return self._wire.carry(Call(f"states:{name}", effect, retries=True, arguments=arguments))


class CloudFormationClient:
    """boto3's cloudformation: the stack `stack_id` is in this status."""

    def __init__(self, wire: Wire, stack_id: str, status: str) -> None:
        self._wire, self.stack_id, self.status = wire, stack_id, status

    def describe_stacks(self, StackName) -> dict[str, Any]:  # noqa: N803
        """DescribeStacks."""

        def effect(_at: float) -> dict[str, Any]:
            stack = {"StackName": StackName, "StackId": self.stack_id, "StackStatus": self.status}
            return {"Stacks": [stack]}

        return self._wire.carry(Call("cloudformation:DescribeStacks", effect, retries=True))
