"""An independent IAM matcher: how MiniStack's API Gateway evaluates an authorizer's policy."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any, Self

from tests.definition import ROOT

PYTHON = ROOT / "build/env/ministack/bin/python"
_PROGRAM = """
import json, sys
from ministack.services.apigateway_v1 import _evaluate_policy
for line in sys.stdin:
    policy, arns = json.loads(line)
    print(json.dumps([_evaluate_policy(policy, arn) == "Allow" for arn in arns]), flush=True)
"""


class Matcher:
    """A process of MiniStack's own environment, which answers line by line."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [PYTHON, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()

    def allowed(self, policy: Mapping[str, Any], arns: Iterable[str]) -> list[bool]:
        """Which of these method ARNs the policy lets through."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([policy, list(arns)]) + "\n")
        self._process.stdin.flush()
        answer: list[bool] = json.loads(self._process.stdout.readline())
        return answer
