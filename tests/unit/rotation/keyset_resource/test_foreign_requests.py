"""Keyset, the custom resource: whoever may invoke the function gets nothing from it."""

import pytest


@pytest.fixture
def booted_world(ask, cloud):
    """A stack that stands."""
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
def test_what_cloudformation_is_not_doing_is_refused(
    send, cloudformation, booted_world, cloud, request_type, status
):
    """Even with the stack's own id, which is no secret."""
    cloudformation.status = status
    answer = send(request_type, PhysicalResourceId="Keyset")
    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == f"ForeignRequest: RequestType: {request_type} while {status}"
    assert cloud.snapshot() == booted_world


def test_another_stack_s_deletion_is_refused(send, cloudformation, booted_world, cloud):
    """Its name says nothing about whose it is."""
    cloudformation.status = "DELETE_IN_PROGRESS"
    answer = send("Delete", "stack-2", PhysicalResourceId="Keyset")
    assert answer["Reason"] == "ForeignRequest: StackId: is another stack's"
    assert cloud.snapshot() == booted_world


def test_the_event_does_not_say_what_to_retain(ask, send, cloudformation, cloud):
    """Nor which executions to stop: the function's own settings do."""
    ask("Create", retain=True)
    before = cloud.snapshot()
    cloudformation.status = "DELETE_IN_PROGRESS"
    properties = {"Retain": "false", "StateMachineArn": "another"}
    answer = send("Delete", PhysicalResourceId="Keyset", ResourceProperties=properties)
    assert answer["Status"] == "SUCCESS"
    assert cloud.snapshot() == before
