"""Decisions and metrics: one line each, and no import that a cold start does not need."""

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from keyturn.aws.telemetry import Decision, Metric, log_decision, measure


def printed_lines(capsys):
    """The lines that were printed, parsed."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_decision_is_one_line(capsys):
    """It has the members that the metric filter reads, and nothing of the decision before."""
    log_decision(Decision.REFUSED, code="expired", key_state="active", kid="k1")
    log_decision(Decision.ACCEPTED, code="ok", key_state="active", generation=7)
    _, line = printed_lines(capsys)
    assert line == {
        "message": "accepted",
        "code": "ok",
        "key_state": "active",
        "generation": 7,
        "service": "keyturn",
    }


def test_a_line_is_one_write(monkeypatch):
    """On Lambda each write is a system call, and CloudWatch may take two for two log events."""
    writes: list[str] = []
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(write=writes.append))
    log_decision(Decision.ACCEPTED, code="ok", key_state="active")
    [line] = writes
    assert line.endswith("}\n")


@pytest.mark.parametrize(
    ("metric", "name", "value", "unit"),
    [
        (Metric.STANDBY_KEYS, "StandbyKeys", 1, "Count"),
        (Metric.REVOCATION_LATENCY, "RevocationLatency", 2.5, "Seconds"),
    ],
)
def test_a_metric_is_a_line_in_the_embedded_metric_format(
    capsys, monkeypatch, metric, name, value, unit
):
    """The stack is its only dimension.

    Source: CloudWatch User Guide, "Specification: Embedded metric format".
    """
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "reconcile")
    measure(metric, value)
    [line] = printed_lines(capsys)
    assert (line[name], line["service"]) == (value, "keyturn")
    assert abs(line["_aws"]["Timestamp"] / 1000 - time.time()) < 60
    assert line["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Keyturn",
            "Dimensions": [["service"]],
            "Metrics": [{"Name": name, "Unit": unit}],
        }
    ]


def test_outside_lambda_nothing_is_measured(capsys, monkeypatch):
    """Break-glass runs the same steps on an operator's terminal, and its `--json` is one object."""
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    measure(Metric.REVOCATION_LATENCY, 2.5)
    assert printed_lines(capsys) == []


@pytest.mark.parametrize(
    ("module", "unused"),
    [
        ("authorize", ["aws_lambda_powertools"]),
        ("issue_token", ["cryptography"]),
    ],
)
def test_a_cold_start_imports_nothing_it_does_not_use(module, unused):
    """Each of these takes longer to import than all of our own code."""
    code = f"import sys, keyturn.api.{module}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    unused = {*unused, "pydantic", "boto3", "s3transfer", "aws_xray_sdk"}
    assert unused.isdisjoint(ran.stdout.split())
