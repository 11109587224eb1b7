"""An account that has stacks of its own."""

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

STACK, ACCOUNT = "keyturn-here", "123456789012"
FOREIGN = {"keyturn", f"{STACK}-of-others"}  # which no run may touch


class CloudFormation:
    """Stacks that are deleted at once; a deleted one is still known by its id."""

    def __init__(self) -> None:
        self.statuses: dict[str, str] = {}

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        """By name or by id, which begins with `id-`."""
        name = StackName.removeprefix("id-")
        status = self.statuses.get(name)
        if status is None or (status == "DELETE_COMPLETE" and name == StackName):
            message = f"Stack with id {StackName} does not exist"
            answer: Any = {"Error": {"Code": "ValidationError", "Message": message}}
            raise ClientError(answer, "DescribeStacks")
        return {"Stacks": [{"StackName": name, "StackId": f"id-{name}", "StackStatus": status}]}

    def delete_stack(self, StackName: str) -> None:  # noqa: N803
        """By its name."""
        assert StackName in self.statuses
        self.statuses[StackName] = "DELETE_COMPLETE"


def create_stack(name: str) -> None:
    """Create a stack."""
    boto3.client("cloudformation").statuses[name] = "CREATE_COMPLETE"  # type: ignore[attr-defined]


def stacks() -> set[str]:
    """The stacks that exist."""
    statuses = boto3.client("cloudformation").statuses  # type: ignore[attr-defined]
    return {name for name, status in statuses.items() if status != "DELETE_COMPLETE"}


@pytest.fixture
def parameters() -> dict[str, str]:
    """SSM's, by name."""
    return {}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch, parameters: dict[str, str]) -> None:
    """The foreign stacks; a call of a service that is not here fails."""

    def below(Path: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"Parameters": [{"Name": one} for one in parameters if one.startswith(f"{Path}/")]}

    clients = {
        "cloudformation": CloudFormation(),
        "sts": SimpleNamespace(
            get_caller_identity=lambda: {"Account": ACCOUNT},
            meta=SimpleNamespace(region_name="us-east-1"),
        ),
        "ssm": SimpleNamespace(get_parameters_by_path=below),
    }
    monkeypatch.setattr(boto3, "client", clients.__getitem__)
    for name in FOREIGN:
        create_stack(name)
