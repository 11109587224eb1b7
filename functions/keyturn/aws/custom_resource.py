"""The protocol of CloudFormation custom resources: do the work, then PUT the response to a URL.

Source: CloudFormation User Guide, "Custom resource request and response reference".
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import urllib3
from pydantic import BaseModel, ConfigDict, Field

from keyturn.aws.clients import Clients
from keyturn.aws.faults import translate_errors
from keyturn.aws.powertools import logger
from keyturn.aws.response_url import check_response_url

_HTTP = urllib3.PoolManager(retries=urllib3.Retry(3, backoff_factor=0.5), timeout=10)
_REASON_LIMIT = 1024
# CloudFormation User Guide, "Understand CloudFormation stack creation events"; updates delete none
# of our custom resources.
_OPERATIONS = {
    "Create": {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"},
    "Update": {"UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"},
    "Delete": {"DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"},
}


class ForeignRequest(ValueError):
    """The event does not match what CloudFormation is doing with this stack."""


class CustomResource(BaseModel):
    """A request from CloudFormation."""

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
        """Whether the resource to update or delete was created, as far as CloudFormation knows.

        CloudFormation sends back the id from our response: a different id if creation failed, and
        an id of its own if it got no response.
        """
        return self.physical_resource_id == self.logical_resource_id


def check_operation(request: CustomResource, clients: Clients, stack: str) -> None:
    """Raise ForeignRequest unless CloudFormation is doing exactly this with the stack of this name.

    An event proves nothing: any principal that may invoke the function can forge it. Raises
    AwsFault.
    """
    with translate_errors("cloudformation:DescribeStacks"):
        answer = clients.cloudformation.describe_stacks(StackName=stack)
    description = answer["Stacks"][0]
    if request.stack_id != description["StackId"]:
        raise ForeignRequest("StackId: is another stack's")
    if description["StackStatus"] not in _OPERATIONS.get(request.request_type, ()):
        raise ForeignRequest(
            f"RequestType: {request.request_type} while {description['StackStatus']}"
        )


def answer(event: Mapping[str, Any], run: Callable[[CustomResource], Mapping[str, str]]) -> None:
    """Run, and send CloudFormation the `GetAtt` attributes or the reason of the failure.

    Raises ForeignResponseUrl before doing anything.
    """
    request = CustomResource.model_validate(event)
    check_response_url(request.response_url)
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
