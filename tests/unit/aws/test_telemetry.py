"""What is said of a call, and what saying it costs."""

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from keyturn.aws.telemetry import Decision, Metric, log_decision, measure


@pytest.fixture
def lines(capsys):
    """What was printed, line by line."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_decision_is_one_line(lines):
    """Its members are what the metric filter reads, and which key and generation decided."""
    log_decision(Decision.ACCEPTED, code="ok", key_state="active", kid="k1", generation=7)
    assert lines() == [
        {
            "message": "accepted",
            "code": "ok",
            "key_state": "active",
            "kid": "k1",
            "generation": 7,
            "service": "keyturn",
        }
    ]


def test_a_decision_says_nothing_of_the_one_before(lines):
    """Neither its code nor its key."""
    log_decision(Decision.REFUSED, code="expired", key_state="active", kid="k1")
    log_decision(Decision.REFUSED, code="unknown_kid", key_state="none", generation=7)
    _, second = lines()
    assert "kid" not in second
    assert (second["code"], second["key_state"]) == ("unknown_kid", "none")


def test_a_line_is_one_write(monkeypatch):
    """On Lambda each write is a system call, and two could be read as two log events."""
    writes: list[str] = []
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(write=writes.append))
    log_decision(Decision.ACCEPTED, code="ok", key_state="active")
    [line] = writes
    assert line.endswith("}\n")


def test_what_is_measured_is_a_line_of_its_own(lines, monkeypatch):
    """In CloudWatch's embedded metric format, with the stack as its only dimension.

    Source: CloudWatch User Guide, "Specification: Embedded metric format".
    """
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "reconcile")
    measure(Metric.STANDBY_KEYS, 1)
    measure(Metric.REVOCATION_LATENCY, 2.5)
    counted, lasted = lines()
    assert (counted["StandbyKeys"], lasted["RevocationLatency"]) == (1, 2.5)
    assert abs(counted["_aws"]["Timestamp"] / 1000 - time.time()) < 60
    [directive] = counted["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "Keyturn",
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "StandbyKeys", "Unit": "Count"}],
    }
    assert counted["service"] == "keyturn"
    [directive] = lasted["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [{"Name": "RevocationLatency", "Unit": "Seconds"}]


def test_nothing_is_measured_on_an_operators_terminal(lines, monkeypatch):
    """Break-glass runs the same steps by hand, and its `--json` is one object."""
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    measure(Metric.REVOCATION_LATENCY, 2.5)
    assert lines() == []


@pytest.mark.parametrize(
    ("module", "unused"),
    [
        (
            "authorize",
            ["pydantic", "boto3", "s3transfer", "aws_xray_sdk", "aws_lambda_powertools"],
        ),
        ("issue_token", ["pydantic", "boto3", "s3transfer", "aws_xray_sdk", "cryptography"]),
    ],
)
def test_a_cold_start_imports_nothing_it_does_not_use(module, unused):
    """Each of these takes longer to import than all of our own code."""
    code = f"import sys, keyturn.api.{module}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(unused).isdisjoint(ran.stdout.split())
