"""ReportFailure: an execution that failed, timed out or was aborted becomes an event of ours."""

import json

import pytest

from keyturn.aws.events import InvalidEvent
from keyturn.aws.faults import AwsFault
from keyturn.rotation import report_failure
from tests.unit.stage import invoke

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:keyturn:night"


def status_change(status="FAILED", **detail):
    """The event that EventBridge delivers."""
    started = json.dumps({"mode": "emergency", "kids": ["k"], "started_by": "alice"})
    members = {"executionArn": EXECUTION, "status": status, "input": started, **detail}
    return {"detail-type": "Step Functions Execution Status Change", "detail": members}


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_the_event_says_who_started_the_execution(stack, aws, status):
    """The kids and the cause stay in the execution."""
    assert invoke(report_failure, status_change(status))["outcome"] == "reported"
    detail = {
        "stack": stack.settings.stack,
        "execution": EXECUTION,
        "status": status,
        "mode": "emergency",
        "started_by": "alice",
    }
    assert aws.events() == [("RotationFailed", detail)]


ODD = [None, '{"mode":7}', "{", "[]", "7", "[" * 100_000, "9" * 5_000]
LONG = json.dumps({"mode": "emergency" * 100, "started_by": "é" * 100_000}, ensure_ascii=False)


@pytest.mark.parametrize("text", [*ODD, LONG], ids=lambda text: str(text)[:12])
def test_an_unreadable_input_does_not_prevent_the_event(stack, aws, text):
    """Step Functions omits a long input, and an attacker may choose one that is deep or huge."""
    invoke(report_failure, status_change(input=text))
    [(_, detail)] = aws.events()
    assert detail["execution"] == EXECUTION
    assert (detail["mode"], detail["started_by"]) == (None, None)


def test_another_status_is_refused(stack):
    """The rule matches only statuses that need attention."""
    with pytest.raises(InvalidEvent, match=r"detail\.status"):
        invoke(report_failure, status_change("SUCCEEDED"))


def test_a_failing_bus_is_a_fault(stack, aws):
    """Lambda retries an asynchronous invocation."""
    aws.fail("events:PutEvents", aws.error("InternalException", 500))
    with pytest.raises(AwsFault):
        invoke(report_failure, status_change())
