"""statemachine/rotation.asl.json, and how to read what it uses of the States Language.

Whoever runs executions in a test drives them in its own way; what a state means is said here once.
"""

import importlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[1]
DEFINITION: Mapping[str, Any] = json.loads((ROOT / "statemachine/rotation.asl.json").read_text())
STATES: Mapping[str, Any] = DEFINITION["States"]


def snake(name: str) -> str:
    """`PublishJwks` as a file spells it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def step_of(state: Mapping[str, Any]) -> str:
    """The step that a Task runs: `ActivateKey`, of `${ActivateKeyFunctionArn}`."""
    return str(state["Resource"]).removeprefix("${").removesuffix("FunctionArn}")


def module_of(step: str) -> ModuleType:
    """The module behind a step: `ActivateKey` is `rotation/activate_key.py`."""
    return importlib.import_module(f"keyturn.rotation.{snake(step)}")


def value_at(data: Mapping[str, Any], path: str) -> Any:
    """What stands at a reference path such as `$.plan.outcome`."""
    value: Any = data
    for part in path.removeprefix("$.").split("."):
        value = value[part]
    return value


def chosen(state: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The state that a Choice goes to."""
    for choice in state["Choices"]:
        if value_at(data, choice["Variable"]) == choice["StringEquals"]:
            return str(choice["Next"])
    return str(state["Default"])


def with_result(state: Mapping[str, Any], data: Mapping[str, Any], outcome: Any) -> dict[str, Any]:
    """The data behind a Task, a Pass or a Catch: the outcome is put at its ResultPath."""
    return {**data, str(state["ResultPath"]).removeprefix("$."): outcome}
