"""What the custom resource Keyset asks beside: Step Functions to run executions, CloudFormation what it does."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.simulation.cloud.wire import Call, Wire


class StatesClient:
    """boto3's stepfunctions, the calls we make; `start` begins an execution of the world."""

    def __init__(self, wire: Wire, start: Callable[[str], Any]) -> None:
        self._wire, self._start = wire, start
        self._executions: dict[str, Any] = {}

    def start_execution(self, stateMachineArn, name, input) -> dict[str, Any]:  # noqa: A002, N803
        """StartExecution."""
        assert stateMachineArn

        def effect(_at: float) -> dict[str, Any]:
            self._executions.setdefault(name, self._start(input))
            return {"executionArn": name}

        return self._carry("StartExecution", effect)

    def describe_execution(self, executionArn) -> Mapping[str, Any]:  # noqa: N803
        """DescribeExecution."""

        def effect(_at: float) -> dict[str, Any]:
            execution = self._executions[executionArn]
            if not execution.over:
                return {"status": "RUNNING"}
            if execution.failure:
                return {"status": "FAILED", "cause": execution.failure}
            return {"status": "SUCCEEDED"}

        return self._carry("DescribeExecution", effect)

    def _carry(self, name: str, effect: Callable[[float], Any]) -> Any:
        return self._wire.carry(Call(f"states:{name}", effect, retries=True))


class CloudFormationClient:
    """boto3's cloudformation: the stack `stack_id` is in this status."""

    def __init__(self, wire: Wire, stack_id: str, status: str) -> None:
        self._wire, self._stack = wire, {"StackId": stack_id, "StackStatus": status}

    def describe_stacks(self, StackName) -> dict[str, Any]:  # noqa: N803
        """DescribeStacks."""
        assert StackName
        call = Call("cloudformation:DescribeStacks", lambda _at: {"Stacks": [self._stack]}, True)
        return self._wire.carry(call)
