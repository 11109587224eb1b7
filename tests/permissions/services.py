"""Services that the simulator does not have, as far as a recorded call needs an answer."""
# ruff: noqa: D102 - methods are named after the operations that they answer

from types import SimpleNamespace
from typing import Any

from tests.permissions.calls import EXECUTION


class States:
    """One execution, which runs whenever it is described."""

    def start_execution(self, **_: Any) -> Any:
        return {"executionArn": EXECUTION}

    def describe_execution(self, **_: Any) -> Any:
        return {"status": "RUNNING"}

    def stop_execution(self, **_: Any) -> None:
        pass

    def get_paginator(self, _name: str) -> Any:
        return SimpleNamespace(paginate=lambda **_: [{"executions": [{"executionArn": EXECUTION}]}])


class CloudFormation:
    """It is changing the stack."""

    status = ""

    def describe_stacks(self, **_: Any) -> Any:
        return {"Stacks": [{"StackId": "stack-1", "StackStatus": self.status}]}


class HttpApis:
    """The caches of HTTP APIs."""

    def reset_authorizers_cache(self, **_: Any) -> None:
        pass


class Edge:
    """CloudFront's copies."""

    def create_invalidation(self, **_: Any) -> Any:
        return {"Invalidation": {"Id": "I1"}}
