"""A conformance run ends with its stacks deleted and a report, however it ends."""

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.conformance.conftest import ACCOUNT, FOREIGN, STACK, create_stack, stacks
from tools.conformance import run as module
from tools.conformance import teardown
from tools.conformance.__main__ import conform
from tools.conformance.items import Item, NotReady, Outcome, World
from tools.conformance.order import Order
from tools.conformance.place import Account
from tools.demo.story import DoesNotHold


class Place(Account):
    """An account where nothing is deployed by `sam`."""

    name, is_local = "AWS", False
    parameters: Mapping[str, object] = {}

    def __init__(self) -> None:
        self.discarded: list[str] = []

    def discard_artefacts(self, stack: str) -> None:
        """Remember which."""
        self.discarded.append(stack)


@pytest.fixture
def world() -> World:
    """A confirmed order."""
    order = Order.from_environ({"STACK": STACK, "CONFIRM": ACCOUNT})
    return World(order, Place(), order.confirmed())


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Where the report goes."""
    return tmp_path / "conformance.md"


def with_items(monkeypatch: pytest.MonkeyPatch, *checks: Any, **options: bool) -> None:
    """Have a run consist of these, and find nothing left."""
    items = tuple(
        Item(f"item_{number}", check.__name__, check, **options)
        for number, check in enumerate(checks)
    )
    monkeypatch.setattr(module, "ITEMS", items)
    monkeypatch.setattr(teardown, "leaves_nothing", lambda _world: "nothing")


def deploys(world: World) -> str:
    """Two stacks."""
    for name in (STACK, f"{STACK}-alerts"):
        world.created.append(name)
        create_stack(name)
    return "two stacks"


def fails(_world: World) -> str:
    """Does not hold."""
    raise DoesNotHold(f"arn:aws:sns:us-east-1:{ACCOUNT}:topic is | silent")


def is_missing(_world: World) -> str:
    """Cannot be tried."""
    raise NotReady("nothing to try it with")


def test_everything_is_deleted_after_success(
    monkeypatch: pytest.MonkeyPatch, world: World, report: Path
) -> None:
    """The stacks of the run and nothing else; what was uploaded for them, too."""
    with_items(monkeypatch, deploys)
    assert conform(world, report) == 0
    assert stacks() == {FOREIGN}
    assert world.place.discarded == [STACK, f"{STACK}-alerts"]  # type: ignore[attr-defined]
    assert "**conforms**" in report.read_text()


def test_everything_is_deleted_after_a_failure(
    monkeypatch: pytest.MonkeyPatch, world: World, report: Path
) -> None:
    """The others have their turn, and the status is 1."""
    with_items(monkeypatch, deploys, fails, is_missing)
    assert conform(world, report) == 1
    assert stacks() == {FOREIGN}
    text = report.read_text()
    assert "| `item_1` | fails | failed |" in text
    assert "| `item_2` | is_missing | not run |" in text
    assert "**does not conform**" in text


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_everything_is_deleted_after_an_interruption(
    monkeypatch: pytest.MonkeyPatch, world: World, report: Path, end: type[BaseException]
) -> None:
    """Ctrl-C and SIGTERM; the report says what was tried before, and does not conform."""

    def stops(_world: World) -> str:
        raise end

    with_items(monkeypatch, deploys, stops, fails)
    with pytest.raises(end):
        conform(world, report)
    assert stacks() == {FOREIGN}
    assert "item_0" in report.read_text()
    assert "**does not conform**" in report.read_text()


def test_the_end_is_not_interrupted(
    monkeypatch: pytest.MonkeyPatch, world: World, report: Path
) -> None:
    """A second Ctrl-C, or a SIGTERM, while stacks are deleted changes nothing, and counts again afterwards."""
    with_items(monkeypatch, deploys)
    before = [signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)]

    def kicked(_stack: str) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(world.place, "discard_artefacts", kicked)
    assert conform(world, report) == 0
    assert stacks() == {FOREIGN}
    assert [signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)] == before


def test_what_is_left_is_named(monkeypatch: pytest.MonkeyPatch, world: World, report: Path) -> None:
    """One stack that cannot be deleted keeps no other; the report names it, and the status is 1."""
    with_items(monkeypatch, deploys)
    deleted = teardown._delete

    def delete(stack: str) -> str | None:
        return "Distribution (in use)" if stack == STACK else deleted(stack)

    monkeypatch.setattr(teardown, "_delete", delete)
    assert conform(world, report) == 1
    assert stacks() == {FOREIGN, STACK}
    assert f"* {STACK}: Distribution (in use)" in report.read_text()


def test_no_account_is_named(monkeypatch: pytest.MonkeyPatch, world: World, report: Path) -> None:
    """Its id is blanked wherever it stands, and a bar in a message breaks no table."""
    with_items(monkeypatch, deploys, fails)
    conform(world, report)
    text = report.read_text()
    assert ACCOUNT not in text
    assert "arn:aws:sns:us-east-1:············:topic is \\| silent" in text


def test_a_question_does_not_fail(
    monkeypatch: pytest.MonkeyPatch, world: World, report: Path
) -> None:
    """A refusal is an answer as well."""
    with_items(monkeypatch, fails, is_question=True)
    assert conform(world, report) == 0
    assert f"| {Outcome.ANSWERED} |" in report.read_text()


def test_what_only_aws_can_tell_is_listed(
    monkeypatch: pytest.MonkeyPatch, world: World, report: Path
) -> None:
    """On a local AWS, as not run; a wrong check would not even be called."""
    with_items(monkeypatch, fails, aws_only=True)
    monkeypatch.setattr(world.place, "is_local", True)
    assert conform(world, report) == 0
    assert "| `item_0` | fails | not run | 0.0 | local AWS |" in report.read_text()


def test_no_other_stack_is_deleted(
    monkeypatch: pytest.MonkeyPatch, world: World, report: Path
) -> None:
    """Not even one whose name begins like the run's own."""
    create_stack(f"{STACK}-of-others")
    with_items(monkeypatch, deploys)
    assert conform(world, report) == 0
    assert stacks() == {FOREIGN, f"{STACK}-of-others"}
