"""CloudFormation's custom resources: whatever happens, an answer is sent."""

import pytest

from keyturn.aws.custom_resource import answer


def ask(site, run, **changes):
    """Ask as CloudFormation does; returns the answer that was PUT to its URL."""
    site.puts.clear()
    answer(
        {
            "RequestType": "Create",
            "ResponseURL": f"{site.url}/answer",
            "StackId": "stack-1",
            "RequestId": "request-1",
            "LogicalResourceId": "Keyset",
            "ResourceType": "Custom::KeyturnKeyset",
            "ResourceProperties": {"Issuer": "https://issuer.example"},
            **changes,
        },
        run,
    )
    [put] = site.puts
    return put


def test_success_is_answered_with_the_attributes(site):
    """The ids of the request come back, and what `GetAtt` is to find."""
    assert ask(site, lambda request: {"Issuer": request.properties["Issuer"]}) == {
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

    def fail(_request):
        raise ZeroDivisionError("no keys" * 500)

    told = ask(site, fail)
    assert (told["Status"], told["Data"]) == ("FAILED", {})
    assert told["Reason"].startswith("ZeroDivisionError: no keys")
    assert len(told["Reason"]) == 1024
    assert told["PhysicalResourceId"] == "Keyset-failed"
    assert "custom_resource_failed" in printed()


def test_an_error_without_a_text_is_a_failure_all_the_same(site, printed):
    """The reason is at least its name."""

    def fail(_request):
        raise KeyError

    assert ask(site, fail)["Status"] == "FAILED"


@pytest.mark.parametrize("error", [None, KeyError("Issuer")], ids=["success", "failure"])
def test_an_update_never_changes_the_physical_id(site, printed, error):
    """Another one would make CloudFormation delete the resource it replaces."""

    def run(_request):
        if error:
            raise error
        return {}

    told = ask(site, run, RequestType="Update", PhysicalResourceId="from-before")
    assert told["PhysicalResourceId"] == "from-before"


@pytest.mark.parametrize(
    ("physical_id", "created"),
    [("Keyset", True), ("Keyset-failed", False), ("demo-Keyset-1", False)],
)
def test_the_physical_id_says_whether_creation_succeeded(site, physical_id, created):
    """CloudFormation sends it back, or one of its own if no answer to Create arrived."""

    def run(request):
        return {"created": str(request.was_created)}

    told = ask(site, run, RequestType="Delete", PhysicalResourceId=physical_id)
    assert told["Data"] == {"created": str(created)}
