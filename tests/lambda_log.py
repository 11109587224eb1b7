"""What Lambda itself writes to a function's log about one call of a warm container.

Sources: Lambda Developer Guide, "Log and monitor Python Lambda functions" (the text lines), "Lambda
Telemetry API Event schema reference" (the JSON lines), "Log-level filtering" (which level each has);
awslambdaric 4.2.2, `bootstrap.py` (what the runtime logs of an exception). A call whose handler raises
is a success to the platform, as the runtime reports the error and lives on (aws-samples/
aws-lambda-extensions, issue 85); `errors_are_reported` is the other reading of the guide.
"""

import json
import traceback
from dataclasses import dataclass

from tests.definition import ROOT

EVENT_BYTES = 26  # that CloudWatch Logs adds to each log event's size (API Reference, PutLogEvents)
REQUEST_ID = "7d0c4f3a-95cf-4d7d-a6f3-63b7a7d0a0aa"
_LEVELS = {"DEBUG": 0, "INFO": 1, "WARN": 2}
_TIME = "2026-11-26T17:41:59"
_SOURCES, _TASK_ROOT = f"{ROOT / 'functions'}/", "/var/task/"
_METRICS = {"durationMs": 1.43, "billedDurationMs": 2, "memorySizeMB": 512, "maxMemoryUsedMB": 97}


@dataclass(frozen=True)
class Logging:
    """A function's LoggingConfig, as far as it decides what is logged."""

    json: bool
    level: str = "INFO"  # of the platform's lines; text has no levels
    errors_are_reported: bool = False

    def lines(self, error: BaseException | None = None) -> list[str]:
        """The lines of one call, which ended well or with this exception of the handler."""
        runtime = [] if error is None else [self._runtime_error(error)]
        return [*self._platform(failed=error is not None), *runtime]

    def _platform(self, *, failed: bool) -> list[str]:
        if not self.json:
            metrics = "Duration: 1.43 ms\tBilled Duration: 2 ms\tMemory Size: 512 MB\tMax Memory Used: 97 MB"
            return [
                f"START RequestId: {REQUEST_ID} Version: $LATEST\n",
                f"END RequestId: {REQUEST_ID}\n",
                f"REPORT RequestId: {REQUEST_ID}\t{metrics}\t\n",
            ]
        failed = failed and self.errors_are_reported
        status = "error" if failed else "success"
        records = (
            ("start", "INFO", {"version": "$LATEST"}),
            ("runtimeDone", "WARN" if failed else "DEBUG", {"status": status}),
            ("report", "WARN" if failed else "INFO", {"metrics": _METRICS, "status": status}),
        )
        return [
            _compact(
                {
                    "time": f"{_TIME}.123Z",
                    "type": f"platform.{name}",
                    "record": {"requestId": REQUEST_ID, **record},
                }
            )
            for name, level, record in records
            if _LEVELS[level] >= _LEVELS[self.level]
        ]

    def _runtime_error(self, error: BaseException) -> str:
        """Of the error itself and the frames from the handler on; never of what led to it."""
        frames = traceback.extract_tb(error.__traceback__)
        handler = next(i for i, frame in enumerate(frames) if frame.name == "handler")
        trace = [
            line.replace(_SOURCES, _TASK_ROOT)
            for line in traceback.format_list(
                [(f.filename, f.lineno or 0, f.name, f.line) for f in frames[handler:]]
            )
        ]
        name = type(error).__name__
        if self.json:
            members = {
                "timestamp": f"{_TIME}Z",
                "level": "ERROR",
                "errorMessage": str(error),
                "errorType": name,
                "requestId": REQUEST_ID,
                "stackTrace": trace,
            }
            return json.dumps(members)
        indented = "".join(trace).replace("  ", "\u00a0" * 2)
        return f"[ERROR] {name}: {error}\rTraceback (most recent call last):\r{indented}"


def size(lines: list[str]) -> int:
    """Bytes that CloudWatch Logs counts."""
    return sum(len(line.encode()) + EVENT_BYTES for line in lines)


def _compact(members: dict[str, object]) -> str:
    return json.dumps(members, separators=(",", ":"))
