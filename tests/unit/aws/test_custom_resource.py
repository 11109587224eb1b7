"""CloudFormation's custom resources: every request is answered, whatever happens."""

import pytest

from keyturn.aws.custom_resource import answer


def send(site, run, **changes):
    """Send a request as CloudFormation does; returns the answer that was PUT to its URL."""
    site.puts.clear()
    event = {
        "RequestType": "Create",
        "ResponseURL": f"{site.url}/answer",
        "StackId": "stack-1",
        "RequestId": "request-1",
        "LogicalResourceId": "Keyset",
        "ResourceType": "Custom::KeyturnKeyset",
        "ResourceProperties": {"Issuer": "https://issuer.example"},
    }
    answer({**event, **changes}, run)
    [put] = site.puts
    return put


def fail(_request):
    """A handler that fails with a long message."""
    raise ZeroDivisionError("no keys" * 500)


def test_a_success_is_answered_with_the_attributes(site):
    """The answer has the ids of the request, and the values for `GetAtt`."""
    assert send(site, lambda request: {"Issuer": request.properties["Issuer"]}) == {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": "Keyset",
        "StackId": "stack-1",
        "RequestId": "request-1",
        "LogicalResourceId": "Keyset",
        "Data": {"Issuer": "https://issuer.example"},
    }


def test_any_error_is_answered_with_its_reason(site, printed):
    """An unanswered request would block the stack for an hour."""
    put = send(site, fail)
    assert (put["Status"], put["Data"]) == ("FAILED", {})
    assert put["Reason"].startswith("ZeroDivisionError: no keys")
    assert len(put["Reason"]) == 1024
    assert put["PhysicalResourceId"] == "Keyset-failed"
    assert "custom_resource_failed" in printed()


@pytest.mark.parametrize("run", [lambda _request: {}, fail], ids=["success", "failure"])
def test_an_update_never_changes_the_physical_id(site, printed, run):
    """CloudFormation would delete the resource under the old id."""
    put = send(site, run, RequestType="Update", PhysicalResourceId="from-before")
    assert put["PhysicalResourceId"] == "from-before"


@pytest.mark.parametrize(
    ("physical_id", "was_created"),
    [("Keyset", True), ("Keyset-failed", False), ("demo-Keyset-1", False)],
)
def test_the_physical_id_says_whether_creation_succeeded(site, physical_id, was_created):
    """CloudFormation sends it back, or one of its own if it got no answer to Create."""

    def run(request):
        return {"was_created": str(request.was_created)}

    put = send(site, run, RequestType="Delete", PhysicalResourceId=physical_id)
    assert put["Data"] == {"was_created": str(was_created)}
