"""ConcludeEmergency: all steps have been tried; report those that failed."""

import json
from collections.abc import Mapping
from typing import Any

from keyturn.aws.stack import Stack
from keyturn.rotation.task import EmergencyInput, Outcome, Step, task

_EXPECTED_OUTCOMES = {
    "revocation": "revoked",
    "disabling": "disabled",
    "publication": "published",
    "replacement": "replaced",
    "republication": "published",
    "flush": "flushed",
}


class EmergencyIncomplete(Exception):
    """Fails the execution, so that the alarm fires; the message names the failed steps."""


class ConclusionInput(EmergencyInput):
    """The result of each step: its outcome, or the error that was caught."""

    revocation: Mapping[str, Any]
    disabling: Mapping[str, Any]
    publication: Mapping[str, Any]
    replacement: Mapping[str, Any]
    republication: Mapping[str, Any]
    flush: Mapping[str, Any]


def run(_stack: Stack, event: ConclusionInput) -> Outcome:
    """Outcome `concluded`; raises EmergencyIncomplete."""
    results = {step: getattr(event, step) for step in _EXPECTED_OUTCOMES}
    problems = [
        f"{step} failed: {result.get('reason') or result.get('outcome') or _describe_error(result)}"
        for step, result in results.items()
        if result.get("outcome") != _EXPECTED_OUTCOMES[step]
    ]
    problems += [f"key {kid} is unknown" for kid in event.revocation.get("unknown", ())]
    if problems:
        raise EmergencyIncomplete("; ".join(problems))
    return {"outcome": "concluded"}


def _describe_error(caught: Mapping[str, Any]) -> str:
    """The error's name and message, which names the remedy; Lambda puts it into `Cause`."""
    try:
        message = json.loads(caught.get("Cause", ""))["errorMessage"]
    except (ValueError, KeyError, TypeError):
        return str(caught.get("Error"))
    return f"{caught.get('Error')}: {message}"


handler = task(Step.CONCLUDE_EMERGENCY, ConclusionInput, run)
