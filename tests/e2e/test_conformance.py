"""`make conformance`, as far as a local AWS goes: the same code as on an account, and its teardown.

It deletes its stack while a rotation waits, and sees that nothing is left behind.
"""

from pathlib import Path

from keyturn.cli.local import LocalAws, Workshop
from tests.conformance.__main__ import conform
from tests.conformance.items import World
from tests.conformance.order import Order, stack_status
from tests.conformance.place import LocalPlace
from tests.conformance.run import ITEMS


def test_keyturn_conforms(workshop: Workshop, aws: LocalAws, tmp_path: Path) -> None:
    """Every item holds or is listed as one for AWS; the stacks are gone."""
    order = Order.from_environ({"AWS_ENDPOINT_URL": aws.endpoint, "STACK": "keyturn-conforming"})
    order.insist_that_nothing_is_there()
    world = World(order, LocalPlace(workshop, aws, built=True), order.confirmed())
    report = tmp_path / "conformance.md"

    assert conform(world, report) == 0, report.read_text()

    rows = dict(row.split(" | ", 1) for row in report.read_text().splitlines() if "| `" in row)
    for item in ITEMS:
        row = rows[f"| `{item.name}`"]
        assert ("not run | 0.0 | local AWS |" in row) == item.aws_only
    assert " held " in rows["| `nothing_left`"]
    assert all(stack_status(stack) is None for stack in order.stacks)
