"""Traces as an engine gets them: the same definition, without anything to wait for."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.cloud.contract.traces import ABORTED, Call, Trace
from tests.definition import DEFINITION, STATES, step_of

PAST = "2020-01-01T00:00:00Z"
LATER = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"  # than any replay takes
STEPS = sorted({step_of(state) for state in STATES.values() if state["Type"] == "Task"})
_WAITS = {name: state for name, state in STATES.items() if state["Type"] == "Wait"}


@dataclass(frozen=True, slots=True)
class Replay:
    """What an engine shows of an execution."""

    entered: list[str]
    inputs: list[tuple[str, Any]]  # each attempt of a Task: its step and input
    status: str
    output: Any  # None unless it succeeded


def expected(trace: Trace) -> Replay:
    """What an engine must show of a trace `without_waits`."""
    inputs = [(call.task.step, call.task.data) for call in trace.calls]
    return Replay(trace.entered, inputs, trace.status, trace.output)


def definition(resources: Mapping[str, str], start: str) -> str:
    """The definition with a resource for each step, from the state at which a redrive begins.

    A Task is repeated at once; how often, and after which errors, is unchanged. No state leads back to
    the first one, and an engine may refuse a state that cannot be reached.
    """
    first = DEFINITION["StartAt"]
    states = {
        name: _impatient(state) for name, state in STATES.items() if name != first or name == start
    }
    text = json.dumps({**DEFINITION, "StartAt": start, "States": states})
    for step, resource in resources.items():
        text = text.replace(f"${{{step}FunctionArn}}", resource)
    return text


def _impatient(state: Mapping[str, Any]) -> Mapping[str, Any]:
    if "Retry" not in state:
        return state
    return {**state, "Retry": [{**rule, "IntervalSeconds": 0} for rule in state["Retry"]]}


def without_waits(trace: Trace) -> Trace:
    """The same trace with every instant in the past and every pause of 0 seconds.

    The Wait in which it was aborted, if any, stays one.
    """
    instants = dict(_instants(trace))

    def moved(data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        fields = {name: moved(value) for name, value in data.items()}
        return {**fields, **{name: instants[name] for name in data.keys() & instants}}

    return _with_data(trace, moved)


def _instants(trace: Trace) -> Iterator[tuple[str, object]]:
    """The name and new value of each field that a Wait reads."""
    held_at = trace.entered[-1] if trace.status == ABORTED else ""
    for name, state in _WAITS.items():
        if "SecondsPath" in state:
            yield _field(state["SecondsPath"]), 0
        else:
            yield _field(state["TimestampPath"]), LATER if name == held_at else PAST


def _field(path: str) -> str:
    return path.rpartition(".")[2]


def each_task_once(trace: Trace) -> Trace:
    """The same trace, with only the last attempt of each Task."""
    following = [call.task for call in trace.calls[1:]] + [None]
    last = [call for call, after in zip(trace.calls, following, strict=True) if call.task != after]
    return replace(trace, calls=last)


def catching(trace: Trace, caught: Mapping[str, str]) -> Trace:
    """The same trace on an engine with this text for every caught error."""

    def replaced(data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        if data.keys() == {"Error", "Cause"}:
            return caught
        return {name: replaced(value) for name, value in data.items()}

    return _with_data(trace, replaced)


def _with_data(trace: Trace, change: Callable[[Any], Any]) -> Trace:
    """The same trace with every document in it changed."""

    def changed(call: Call) -> Call:
        task = replace(call.task, data=change(call.task.data))
        return replace(call, task=task, outcome=change(call.outcome))

    calls = [changed(call) for call in trace.calls]
    return replace(trace, event=change(trace.event), calls=calls, output=change(trace.output))
