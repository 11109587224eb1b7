"""docs/signals.md lists every log message, metric and alarm of the code and the template, and no other."""

import importlib
import json
import re
from ast import Attribute, Call, Constant, expr, parse, unparse, walk
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path

import pytest

from keyturn.api import answers
from keyturn.aws import telemetry
from keyturn.aws.telemetry import Decision, Metric, measure
from tests.definition import ROOT
from tests.documents.pages import PAGES, PRESENT, code, rows, section
from tests.template import RESOURCES

FUNCTIONS = ROOT / "functions"
SIGNALS = PAGES["docs/signals.md"]
ALARMS = {
    name: resource["Properties"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::CloudWatch::Alarm"
}
FILTERS = [one for one in RESOURCES.values() if one["Type"] == "AWS::Logs::MetricFilter"]
FIRES = {code(row[0])[0]: row[1] for row in rows(section(SIGNALS, "Alarms"))}
AGES = {1_800: "half an hour", 172_800: "two days"}
AGE = r"\b(?:half an hour|an? (?:minute|hour|day|week)|\w+ (?:minutes|hours|days|weeks))\b"


def calls(function: str) -> Iterator[tuple[Path, list[expr]]]:
    """The arguments of every call in the product of a method that matches."""
    for path in sorted(FUNCTIONS.rglob("*.py")):
        for node in walk(parse(path.read_text())):
            if not (isinstance(node, Call) and isinstance(node.func, Attribute)):
                continue
            if re.fullmatch(function, unparse(node.func)):
                yield path, node.args


def text_of(path: Path, argument: expr) -> str | None:
    """The value of an argument in its module; None if it is known only at run time."""
    module = importlib.import_module(".".join(path.relative_to(FUNCTIONS).with_suffix("").parts))
    try:
        return str(eval(unparse(argument), dict(vars(module))))
    except NameError:
        return None


@cache
def messages() -> set[str]:
    """Every `message` of a log line; a step's is its name, which the page does not list."""
    logged = calls(r"logger\.(info|warning|exception)")
    texts = {text_of(path, first) for path, (first, *_) in logged}
    return {text for text in texts if text} | {str(decision) for decision in Decision}


@pytest.fixture(scope="module")
def units() -> dict[str, str]:
    """Every metric that is written, and its unit."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as output:
        patch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
        for metric in Metric:
            measure(metric)
    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    metrics = [line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0] for line in lines]
    filtered = [one for f in FILTERS for one in f["Properties"]["MetricTransformations"]]
    added = [args for _, args in calls(r"metrics\.add_metric") if isinstance(args[0], Constant)]
    refusals = [one.metric for one in vars(answers).values() if getattr(one, "metric", None)]
    return {
        **dict.fromkeys(refusals, "Count"),
        **{metric["Name"]: metric["Unit"] for metric in metrics},
        **{one["MetricName"]: one["Unit"] for one in filtered},
        **{str(eval(unparse(name))): str(eval(unparse(unit))) for name, unit, _ in added},
    }


def test_every_log_message_is_listed() -> None:
    """The page has every log message and no other; those of the steps are one row."""
    listed = {name for row in rows(section(SIGNALS, "Logs")) for name in code(row[0])}
    assert len(listed) > 10
    assert listed == messages()


@pytest.mark.parametrize("page", PRESENT)
def test_a_page_quotes_log_lines_that_are_logged(page: str) -> None:
    """A message that a page filters the log by, or calls a log line, is one of the product."""
    text = " ".join(PAGES[page].split())
    quoted = {
        *re.findall(r"\bmessage = \"(\w+)\"", text),
        *re.findall(r"\b(?:lines?|log says|log message) `(\w+)`", text),
    }
    assert quoted - messages() == set()


def test_every_metric_is_listed_with_its_unit(units: dict[str, str]) -> None:
    """The page has every metric with its unit, and no other."""
    listed = {name: row[1] for row in rows(section(SIGNALS, "Metrics")) for name in code(row[0])}
    assert listed == units
    assert f"`{telemetry.NAMESPACE}`" in section(SIGNALS, "Metrics")


@pytest.mark.parametrize("page", PRESENT)
def test_a_page_names_alarms_and_metrics_that_exist(page: str, units: dict[str, str]) -> None:
    """An alarm or metric that a page names is one of ours, or one of AWS's that an alarm watches."""
    text = " ".join(PAGES[page].split())
    alarms = re.findall(r"\b[Aa]larms? `(\w+)`(?: (?:or|and) `(\w+)`)?", text)
    assert {name for pair in alarms for name in pair if name} <= ALARMS.keys()
    watched = {alarm["MetricName"] for alarm in ALARMS.values()}
    metrics = set(re.findall(r"\b[Mm]etrics? `(\w+)`", text))
    assert metrics <= {*units, *watched}


def test_every_alarm_is_listed() -> None:
    """The page has every alarm and no other; docs/README.md links each to its runbook, and the bill counts them."""
    assert FIRES.keys() == ALARMS.keys()
    runbooks = section(PAGES["docs/README.md"], "Runbooks").splitlines()
    for alarm, properties in ALARMS.items():
        [runbook] = re.findall(r"runbooks/[\w-]+\.md", properties["AlarmDescription"])
        [row] = [line for line in runbooks if f"({runbook})" in line]
        assert f"`{alarm}`" in row
    number = {13: "thirteen", 14: "fourteen", 15: "fifteen", 16: "sixteen"}[len(ALARMS)]
    assert f"{number} alarms" in " ".join(PAGES["docs/performance.md"].split())


def test_the_listed_alarms_tell_people_as_described() -> None:
    """Every alarm notifies when it fires and when it is over, and those that the page says without data."""
    text = " ".join(SIGNALS.split())
    assert "receives the alarms" in text
    assert "reports `OK` once" in text
    without_data = {name for name, fires in FIRES.items() if "`INSUFFICIENT_DATA`" in fires}
    assert without_data == {
        name for name, one in ALARMS.items() if "InsufficientDataActions" in one
    }
    topic = [{"Ref": "Alerts"}]
    assert all(one["AlarmActions"] == one["OKActions"] == topic for one in ALARMS.values())


@pytest.mark.parametrize(
    ("alarm", "age"),
    [
        ("ActiveKeyTooOld", ALARMS["ActiveKeyTooOld"]["Threshold"]),
        ("NoStandby", ALARMS["NoStandby"]["Period"] * ALARMS["NoStandby"]["EvaluationPeriods"]),
    ],
)
def test_an_alarm_fires_at_the_described_age(alarm: str, age: int) -> None:
    """The list, the alarm's own description and the threat model have the same age."""
    assert set(re.findall(AGE, FIRES[alarm])) == {AGES[age]}
    assert re.findall(AGE, ALARMS[alarm]["AlarmDescription"].lower()) == [AGES[age]]
    before = re.findall(rf"([^`|]*)`{alarm}`", PAGES["docs/threat-model.md"])
    counted_on = [re.findall(AGE, text.lower())[-1:] for text in before]
    assert [AGES[age]] in counted_on
    assert all(ages in ([], [AGES[age]]) for ages in counted_on)


def test_three_runs_of_reconcile_are_three_periods() -> None:
    """`ReconcileFailed` fires after as many failures as the list says."""
    assert re.search(r"three runs (?:of reconcile )?in a row", FIRES["ReconcileFailed"])
    assert ALARMS["ReconcileFailed"]["EvaluationPeriods"] == 3
