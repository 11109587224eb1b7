"""What is said of a call, and what saying it costs."""

import json
import subprocess
import sys

import pytest

from keyturn.aws.telemetry import Metric, log_decision, measure


@pytest.fixture
def lines(capsys):
    """What was printed, line by line."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_decision_is_one_line(lines):
    """It is log and metric at once: CloudWatch reads the metric out of the log."""
    log_decision("accepted", code="ok", key_state="active", kid="k1", generation=7)
    [line] = lines()
    assert {name: line[name] for name in ("message", "kid", "generation")} == {
        "message": "accepted",
        "kid": "k1",
        "generation": 7,
    }
    [told] = line["_aws"]["CloudWatchMetrics"]
    [dimensions] = told["Dimensions"]
    assert (told["Namespace"], set(dimensions)) == ("Keyturn", {"service", "code", "key_state"})
    assert told["Metrics"] == [{"Name": "Authorizations", "Unit": "Count"}]
    assert (line["Authorizations"], line["code"], line["key_state"]) == ([1.0], "ok", "active")


def test_a_decision_says_nothing_of_the_one_before(lines):
    """Neither its code nor its metric."""
    log_decision("refused", code="expired", key_state="active", kid="k1")
    log_decision("refused", code="unknown_kid", key_state="none", generation=7)
    _, second = lines()
    assert "kid" not in second
    assert (second["code"], second["key_state"]) == ("unknown_kid", "none")


def test_what_is_measured_is_a_line_of_its_own(lines, monkeypatch):
    """With the stack as its only dimension."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "reconcile")
    measure(Metric.STANDBY_KEYS, 1)
    measure(Metric.REVOCATION_LATENCY, 2.5)
    counted, lasted = lines()
    assert (counted["StandbyKeys"], lasted["RevocationLatency"]) == ([1.0], [2.5])
    units = [
        line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"] for line in (counted, lasted)
    ]
    assert units == ["Count", "Seconds"]


def test_nothing_is_measured_on_an_operators_terminal(lines, monkeypatch):
    """Break-glass runs the same steps by hand, and its `--json` is one object."""
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    measure(Metric.REVOCATION_LATENCY, 2.5)
    assert lines() == []


@pytest.mark.parametrize(
    ("module", "unused"),
    [
        ("authorize", ["pydantic", "boto3", "s3transfer", "aws_xray_sdk"]),
        ("issue_token", ["pydantic", "boto3", "s3transfer", "aws_xray_sdk", "cryptography"]),
    ],
)
def test_a_cold_start_imports_nothing_it_does_not_use(module, unused):
    """Each of these takes longer to import than all of our own code."""
    code = f"import sys, keyturn.api.{module}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(unused).isdisjoint(ran.stdout.split())
