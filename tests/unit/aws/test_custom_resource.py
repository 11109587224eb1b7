"""CloudFormation's custom resources: whatever happens, an answer is sent."""

import pytest

from keyturn.aws.custom_resource import answer


@pytest.fixture
def ask(site):
    """Ask as CloudFormation does; returns the answer that was PUT to its URL."""

    def ask(run, **changes):
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

    return ask


def test_success_is_answered_with_the_attributes(ask):
    """The ids of the request come back, and what `GetAtt` is to find."""
    assert ask(lambda request: {"Issuer": request.properties["Issuer"]}) == {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": "Keyset",
        "StackId": "stack-1",
        "RequestId": "request-1",
        "LogicalResourceId": "Keyset",
        "Data": {"Issuer": "https://issuer.example"},
    }


def test_any_error_is_answered_with_its_reason(ask, printed):
    """An unanswered request would block the stack for an hour."""

    def fail(_request):
        raise ZeroDivisionError("no keys" * 500)

    told = ask(fail)
    assert (told["Status"], told["Data"]) == ("FAILED", {})
    assert told["Reason"].startswith("ZeroDivisionError: no keys")
    assert len(told["Reason"]) == 1024
    assert "custom_resource_failed" in printed()


def test_an_error_without_a_text_is_a_failure_all_the_same(ask, printed):
    """The reason is at least its name."""

    def fail(_request):
        raise KeyError

    assert ask(fail)["Status"] == "FAILED"


def test_the_physical_id_never_changes(ask):
    """Another one would make CloudFormation delete the resource it replaces."""
    told = ask(lambda _: {}, RequestType="Update", PhysicalResourceId="from-before")
    assert told["PhysicalResourceId"] == "from-before"
