"""Alarms, dashboard, events and docs/signals.md agree."""

import json
import re
from pathlib import Path

import pytest

from keyturn.aws import telemetry
from keyturn.keyset import capacity
from keyturn.keyset.changes import ChangeKind
from keyturn.rotation.record_changes import DETAIL_TYPES
from tests.template import RESOURCES

DOCS = Path("docs/signals.md").read_text()


ALARMS = {n: r["Properties"] for n, r in RESOURCES.items() if r["Type"] == "AWS::CloudWatch::Alarm"}
CODE = "".join(p.read_text() for p in Path("functions/keyturn").rglob("*.py"))
COUNTED = {  # out of log lines
    transformation["MetricName"]
    for resource in RESOURCES.values()
    if resource["Type"] == "AWS::Logs::MetricFilter"
    for transformation in resource["Properties"]["MetricTransformations"]
}


def own_metrics() -> set[str]:
    """The metrics of Keyturn that an alarm or the dashboard uses."""
    metrics = {
        a["MetricName"] for a in ALARMS.values() if a.get("Namespace") == telemetry.NAMESPACE
    }
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(re.sub(r"\$\{[^}]*\}", "x", body))["widgets"]
    for widget in widgets:
        source = ""
        for metric in widget["properties"]["metrics"]:
            if isinstance(metric[0], dict):
                metrics |= set(re.findall(r'MetricName="(\w+)"', metric[0]["expression"]))
            else:
                source = source if metric[0] == "." else metric[0]
                metrics |= {metric[1]} if source == telemetry.NAMESPACE else set()
    return metrics


@pytest.mark.parametrize("name", ALARMS)
def test_each_alarm_names_its_runbook(name):
    """Each alarm's description and the docs name its runbook."""
    [runbook] = re.findall(r"docs/runbooks/[\w-]+\.md", ALARMS[name]["AlarmDescription"])
    assert Path(runbook).is_file()
    [row] = [line for line in DOCS.splitlines() if line.startswith(f"| `{name}` ")]
    assert f"({runbook.removeprefix('docs/')})" in row


@pytest.mark.parametrize("name", ALARMS)
def test_each_alarm_tells_somebody(name):
    """Each alarm has an action."""
    assert ALARMS[name]["AlarmActions"] == [{"Ref": "Alerts"}]


def test_doctor_and_the_alarm_agree_on_what_is_nearly_full():
    """`keyturn doctor` and the alarm CutOffsNearlyFull have the same threshold."""
    alarm = ALARMS["CutOffsNearlyFull"]
    assert alarm["ComparisonOperator"] == "LessThanThreshold"
    assert alarm["Threshold"] == capacity.LITTLE_ROOM


@pytest.mark.parametrize("name", sorted(own_metrics()))
def test_each_metric_that_is_looked_at_is_written_and_described(name):
    """Each metric of an alarm or the dashboard is written by the code and described in the docs."""
    assert f'"{name}"' in CODE or name in COUNTED
    assert f"`{name}`" in DOCS


def test_each_event_is_described():
    """Each has an example that agrees with the code."""
    for name in (*DETAIL_TYPES.values(), "RotationFailed", "DriftRepaired"):
        assert f'"{name}"' in CODE
        assert f"`{name}`" in DOCS
    assert ChangeKind.CREATED not in DETAIL_TYPES  # who was merely created is nobody's business
