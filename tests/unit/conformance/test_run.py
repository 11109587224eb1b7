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
from tools.conformance.items import Item, NotReady, World
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
        """Remember the stack."""
        self.discarded.append(stack)


class Run:
    """A run of items that a test chooses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
        self._monkeypatch, self._path = monkeypatch, path
        self.place = Place()
        order = Order.from_environ({"STACK": STACK, "CONFIRM": ACCOUNT})
        self.world = World(order, self.place, order.confirmed())

    def __call__(self, *checks: Any, **options: bool) -> int:
        """Run these checks as items; returns the exit status."""
        items = tuple(
            Item(f"item_{number}", check.__name__, check, **options)
            for number, check in enumerate(checks)
        )
        self._monkeypatch.setattr(module, "ITEMS", items)
        return conform(self.world, self._path)

    @property
    def report(self) -> str:
        """The report that the run has written."""
        return self._path.read_text()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A confirmed run, after which nothing remains but what stacks would leave."""
    monkeypatch.setattr(teardown, "leaves_nothing", lambda _world: "nothing")
    return Run(monkeypatch, tmp_path / "conformance.md")


def deploys(world: World) -> str:
    """Create two stacks."""
    for name in (STACK, f"{STACK}-alerts"):
        world.created.append(name)
        create_stack(name)
    return "two stacks"


def fails(_world: World) -> str:
    """Find a promise broken."""
    raise DoesNotHold(f"arn:aws:sns:us-east-1:{ACCOUNT}:topic is | silent")


def is_missing(_world: World) -> str:
    """Find nothing to try."""
    raise NotReady("nothing to try it with")


def test_everything_is_deleted_after_success(run: Run) -> None:
    """A run deletes its stacks and what was uploaded for them, and no stack with a similar name."""
    assert run(deploys) == 0
    assert stacks() == FOREIGN
    assert run.place.discarded == [STACK, f"{STACK}-alerts"]
    assert "**conforms**" in run.report


def test_everything_is_deleted_after_a_failure(run: Run) -> None:
    """After a failed item the others are run, the stacks are deleted, and the status is 1."""
    assert run(deploys, fails, is_missing) == 1
    assert stacks() == FOREIGN
    assert "| `item_1` | fails | failed |" in run.report
    assert "| `item_2` | is_missing | not run |" in run.report
    assert "**does not conform**" in run.report


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_everything_is_deleted_after_an_interruption(run: Run, end: type[BaseException]) -> None:
    """After Ctrl-C or SIGTERM the report lists the items before, and the run does not conform."""

    def stops(_world: World) -> str:
        raise end

    with pytest.raises(end):
        run(deploys, stops, fails)
    assert stacks() == FOREIGN
    assert "item_0" in run.report
    assert "**does not conform**" in run.report


def test_the_teardown_is_not_interrupted(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """Ctrl-C and SIGTERM have no effect while stacks are deleted, and have it again afterwards."""
    before = [signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)]

    def interrupt(_stack: str) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(run.place, "discard_artefacts", interrupt)
    assert run(deploys) == 0
    assert stacks() == FOREIGN
    assert [signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_stack_that_cannot_be_deleted_is_named(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """One stack that cannot be deleted keeps no other; the report names it, and the status is 1."""
    delete = teardown._delete
    monkeypatch.setattr(
        teardown, "_delete", lambda name: "Distribution (in use)" if name == STACK else delete(name)
    )
    assert run(deploys) == 1
    assert stacks() == FOREIGN | {STACK}
    assert f"* {STACK}: Distribution (in use)" in run.report


def test_no_account_is_named(run: Run) -> None:
    """The report blanks the account's id everywhere, and a bar in a message breaks no table."""
    run(deploys, fails)
    assert ACCOUNT not in run.report
    assert "arn:aws:sns:us-east-1:············:topic is \\| silent" in run.report


def test_a_question_does_not_fail(run: Run) -> None:
    """A refusal is an answer to a question."""
    assert run(fails, is_question=True) == 0
    assert "| answered |" in run.report


def test_what_only_aws_can_show_is_listed(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """On a local AWS an item for AWS only is listed as not run, and its check is not called."""
    monkeypatch.setattr(run.place, "is_local", True)
    assert run(fails, aws_only=True) == 0
    assert "| `item_0` | fails | not run | 0.0 | local AWS |" in run.report
