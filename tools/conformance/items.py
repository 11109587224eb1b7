"""What a run consists of: items with names, each with an outcome; names stay, so that reports compare."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from keyturn.aws.operator.deployment import Deployment
from tools.command import KEYTURN, run
from tools.conformance.listener import Listener
from tools.conformance.order import Order
from tools.conformance.place import Account
from tools.demo.rotation import Rotation
from tools.demo.story import hold

T = TypeVar("T")


class Outcome(StrEnum):
    """How an item ended; a question cannot fail, only be answered."""

    HELD = "held"
    FAILED = "failed"
    ANSWERED = "answered"
    NOT_RUN = "not run"


class NotReady(Exception):
    """An item needs what an earlier one did not make."""


class Made(Generic[T]):
    """An attribute that one item sets and later ones need; raises NotReady until it is set."""

    def __init__(self, otherwise: str) -> None:
        self._otherwise = otherwise

    def __set_name__(self, owner: type, name: str) -> None:
        """See the data model."""
        self._name = name

    def __get__(self, world: Any, owner: type) -> T:
        """See the data model."""
        if self._name not in vars(world):
            raise NotReady(self._otherwise)
        value: T = vars(world)[self._name]
        return value

    def __set__(self, world: Any, value: T) -> None:
        """See the data model."""
        vars(world)[self._name] = value


@dataclass
class World:
    """What the run has made so far, for the items that come after."""

    order: Order
    place: Account
    account: str
    created: list[str] = field(default_factory=list)  # stacks, in the order of their creation
    consumers: dict[str, dict[str, str]] = field(default_factory=dict)  # outputs by `rest`, `http`
    figures: dict[str, float] = field(default_factory=dict)

    deployment = Made[Deployment]("the stack is not deployed")
    listener = Made[Listener]("nothing listens to the topic")
    rotation = Made[Rotation]("the key was not rotated")
    failed_execution = Made[str]("no run has failed")

    def keyturn(self, *arguments: str) -> Any:
        """Run the operator's command on the stack under test; returns its JSON."""
        ran = run(KEYTURN, *arguments, "--stack", self.order.stack, "--json")
        hold(bool(ran.stdout), f"keyturn {arguments[0]}: {ran.stderr.strip()}")
        return json.loads(ran.stdout)


@dataclass(frozen=True, slots=True)
class Item:
    """`check` returns what it saw; it raises DoesNotHold, NotReady."""

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
