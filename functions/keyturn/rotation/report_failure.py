"""ReportFailure: announce on the event bus that an execution failed, timed out or was stopped."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field, TypeAdapter

from keyturn.aws.events import parse
from keyturn.aws.executions import UNKNOWN, ExecutionRequest
from keyturn.aws.powertools import logger
from keyturn.aws.stack import Stack
from keyturn.rotation.task import Outcome


class _DetailInput(BaseModel):
    """The detail of Step Functions' status change; the error stays in the execution's history."""

    execution: str = Field(alias="executionArn")
    status: Literal["FAILED", "TIMED_OUT", "ABORTED"]
    input: str | None = None  # omitted if it is too long for an event


class _StatusChangeInput(BaseModel):
    detail: _DetailInput


@logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], _context: object) -> Outcome:
    """Outcome `reported`; raises AwsFault, whereupon Lambda retries."""
    detail = parse(TypeAdapter(_StatusChangeInput), event).detail
    fields = {"execution": detail.execution, "status": detail.status}
    bus = Stack.from_environment().event_bus
    bus.put([("RotationFailed", {**fields, **_describe_request(detail.input)})])
    outcome: Outcome = {"outcome": "reported", **fields}
    logger.info("report_failure", **outcome)
    return outcome


def _describe_request(text: str | None) -> dict[str, str | None]:
    """The mode and who started it, None if not known: an execution's input can be anything."""
    request = ExecutionRequest.parse(text or "")
    fields = {"mode": request.mode, "started_by": request.started_by}
    return {name: None if value == UNKNOWN else value for name, value in fields.items()}
