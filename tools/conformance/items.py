"""What a run consists of: items with names, each with an outcome; names stay, so that reports compare."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from keyturn.aws.operator.deployment import Deployment
from tools.conformance.listener import Listener
from tools.conformance.order import Order
from tools.conformance.place import Account
from tools.demo.rotation import Rotation
from tools.demo.story import KEYTURN, hold


class Outcome(StrEnum):
    """How an item ended; a question cannot fail, only be answered."""

    HELD = "held"
    FAILED = "failed"
    ANSWERED = "answered"
    NOT_RUN = "not run"


@dataclass
class World:
    """What the run has made so far, for the items that come after."""

    order: Order
    place: Account
    account: str
    created: list[str] = field(default_factory=list)  # stacks, in the order of their creation
    consumers: dict[str, dict[str, str]] = field(default_factory=dict)  # outputs by `rest`, `http`
    figures: dict[str, float] = field(default_factory=dict)
    failed_execution: str = ""
    _deployment: Deployment | None = None
    _listener: Listener | None = None
    _rotation: Rotation | None = None

    @property
    def deployment(self) -> Deployment:
        """The stack under test."""
        return _there(self._deployment, "the stack is not deployed")

    @deployment.setter
    def deployment(self, deployment: Deployment) -> None:
        self._deployment = deployment

    @property
    def listener(self) -> Listener:
        """Who hears what the topic delivers."""
        return _there(self._listener, "nothing listens to the topic")

    @listener.setter
    def listener(self, listener: Listener) -> None:
        self._listener = listener

    @property
    def rotation(self) -> Rotation:
        """The rotation under load."""
        return _there(self._rotation, "the key was not rotated")

    @rotation.setter
    def rotation(self, rotation: Rotation) -> None:
        self._rotation = rotation

    def keyturn(self, *arguments: str) -> Any:
        """Run the operator's command on the stack under test; returns its JSON."""
        ran = subprocess.run(
            [str(KEYTURN), *arguments, "--stack", self.order.stack, "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        hold(bool(ran.stdout), f"keyturn {arguments[0]}: {ran.stderr.strip()}")
        return json.loads(ran.stdout)


class MissingGeneration(Exception):
    """An item needs what an earlier one did not make."""


def _there(thing: Any, otherwise: str) -> Any:
    if thing is None:
        raise MissingGeneration(otherwise)
    return thing


@dataclass(frozen=True, slots=True)
class Item:
    """`check` returns what it saw and raises what does not hold."""

    name: str
    title: str
    check: Callable[[World], str]
    aws_only: bool = False
    is_question: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What an item came to; `seconds` is 0 if it was not run."""

    item: Item
    outcome: Outcome
    says: str
    seconds: float = 0.0
