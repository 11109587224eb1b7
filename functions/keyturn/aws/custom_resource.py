"""The protocol of CloudFormation custom resources: do the work, then PUT the answer to a URL.

Source: CloudFormation User Guide, "Custom resource request and response reference".
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import urllib3
from pydantic import BaseModel, ConfigDict, Field

from keyturn.aws.powertools import logger

_HTTP = urllib3.PoolManager(retries=urllib3.Retry(3, backoff_factor=0.5), timeout=10)
_REASON_LIMIT = 1024


class CustomResource(BaseModel):
    """A request of CloudFormation."""

    model_config = ConfigDict(frozen=True)

    request_type: str = Field(alias="RequestType")
    response_url: str = Field(alias="ResponseURL")
    stack_id: str = Field(alias="StackId")
    request_id: str = Field(alias="RequestId")
    logical_resource_id: str = Field(alias="LogicalResourceId")
    physical_resource_id: str | None = Field(default=None, alias="PhysicalResourceId")
    properties: dict[str, Any] = Field(default={}, alias="ResourceProperties")

    @property
    def was_created(self) -> bool:
        """Whether what is to be updated or deleted was created, as far as CloudFormation heard.

        It sends back the id of our answer: another one after a failure, its own after none.
        """
        return self.physical_resource_id == self.logical_resource_id


def answer(event: Mapping[str, Any], run: Callable[[CustomResource], Mapping[str, str]]) -> None:
    """Run, and tell CloudFormation what came of it (its `GetAtt` attributes), or why it failed."""
    request = CustomResource.model_validate(event)
    reason, attributes = "", {}
    try:
        attributes = dict(run(request))
    except Exception as error:  # noqa: BLE001 - an unanswered request blocks the stack for an hour
        logger.exception("custom_resource_failed", resource=request.logical_resource_id)
        reason = f"{type(error).__name__}: {error}"[:_REASON_LIMIT]
    new_id = request.logical_resource_id + ("-failed" if reason else "")
    body = {
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": reason,
        "PhysicalResourceId": request.physical_resource_id or new_id,
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_resource_id,
        "Data": attributes,
    }
    _HTTP.request(
        "PUT",
        request.response_url,
        body=json.dumps(body).encode(),
        headers={"Content-Type": ""},
    )
