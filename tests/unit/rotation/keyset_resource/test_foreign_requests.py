"""Keyset, the custom resource: permission to invoke the function is of no use to an attacker."""

import pytest


@pytest.fixture
def before(ask, cloud):
    """Everything that a created stack has stored."""
    ask("Create")
    return cloud.snapshot()


@pytest.mark.parametrize(
    ("request_type", "status"),
    [
        ("Delete", "CREATE_COMPLETE"),
        ("Delete", "UPDATE_IN_PROGRESS"),
        ("Delete", "UPDATE_ROLLBACK_IN_PROGRESS"),
        ("Create", "UPDATE_COMPLETE"),
        ("Create", "DELETE_IN_PROGRESS"),
        ("Update", "CREATE_COMPLETE"),
        ("Destroy", "DELETE_IN_PROGRESS"),
    ],
)
def test_a_request_that_cloudformation_is_not_making_is_refused(
    send, cloudformation, before, cloud, request_type, status
):
    """The stack's own id proves nothing: it is no secret."""
    cloudformation.status = status
    answer = send(request_type, PhysicalResourceId="Keyset")
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == f"ForeignRequest: RequestType: {request_type} while {status}"
    assert cloud.snapshot() == before


def test_the_deletion_of_another_stack_is_refused(send, cloudformation, before, cloud):
    """The stack's id is compared, not its name."""
    cloudformation.status = "DELETE_IN_PROGRESS"
    answer = send("Delete", "stack-2", PhysicalResourceId="Keyset")
    assert answer["Reason"] == "ForeignRequest: StackId: is another stack's"
    assert cloud.snapshot() == before


def test_the_event_does_not_decide_what_is_retained(ask, send, cloudformation, cloud):
    """The function's own settings do, and they name the executions to stop."""
    ask("Create", retain=True)
    before = cloud.snapshot()
    cloudformation.status = "DELETE_IN_PROGRESS"
    properties = {"Retain": "false", "StateMachineArn": "another"}
    answer = send("Delete", PhysicalResourceId="Keyset", ResourceProperties=properties)
    assert answer["Status"] == "SUCCESS"
    assert cloud.snapshot() == before
