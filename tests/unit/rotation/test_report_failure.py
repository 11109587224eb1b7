"""An execution that did not end well is told of, in our words."""

import json

import pytest

from keyturn.aws.events import InvalidEvent
from keyturn.aws.faults import AwsFault
from keyturn.rotation import report_failure
from tests.unit.stage import invoke

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:keyturn:night"


def status_change(status="FAILED", **detail):
    """What EventBridge hands over."""
    started = json.dumps({"mode": "emergency", "kids": ["k"], "started_by": "alice"})
    given = {"executionArn": EXECUTION, "status": status, "input": started, **detail}
    return {"detail-type": "Step Functions Execution Status Change", "detail": given}


def told(aws):
    """The one event that the bus heard."""
    [[entry]] = [call["Entries"] for call in aws.params("events:PutEvents")]
    return entry["DetailType"], json.loads(entry["Detail"])


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_who_started_what(stack, aws, status):
    """The kids and the cause stay in the execution."""
    assert invoke(report_failure, status_change(status))["outcome"] == "reported"
    assert told(aws) == (
        "RotationFailed",
        {
            "stack": stack.settings.stack,
            "execution": EXECUTION,
            "status": status,
            "mode": "emergency",
            "started_by": "alice",
        },
    )


ODD = [None, '{"mode":7}', "{", "[]", "7", "[" * 100_000, "9" * 5_000]
LONG = json.dumps({"mode": "emergency" * 100, "started_by": "é" * 100_000}, ensure_ascii=False)


@pytest.mark.parametrize("given", [*ODD, LONG], ids=lambda given: str(given)[:12])
def test_an_input_that_cannot_be_read_holds_nothing_up(stack, aws, given):
    """Step Functions leaves out what is too long; anybody can start an execution with anything.

    What is nested too deep for a parser, or fills the event that tells of it, is no way not to be told of.
    """
    invoke(report_failure, status_change(input=given))
    assert told(aws)[1]["execution"] == EXECUTION
    assert (told(aws)[1]["mode"], told(aws)[1]["started_by"]) == (None, None)


def test_another_status_is_not_ours(stack):
    """The rule lets only those through that need somebody."""
    with pytest.raises(InvalidEvent, match=r"detail\.status"):
        invoke(report_failure, status_change("SUCCEEDED"))


def test_a_bus_that_is_away_is_a_fault(stack, aws):
    """Lambda tries an asynchronous call again."""
    aws.fail("events:PutEvents", aws.error("InternalException", 500))
    with pytest.raises(AwsFault):
        invoke(report_failure, status_change())
