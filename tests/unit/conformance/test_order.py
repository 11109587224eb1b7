"""A conformance run is refused before it touches anything."""

from collections.abc import Mapping

import pytest

from tests.unit.conformance.conftest import ACCOUNT, FOREIGN, STACK, create_stack, stacks
from tools.conformance.order import LOCAL_STACK, Order, Refused


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({}, "STACK is not set"),
        ({"CONFIRM": ACCOUNT}, "STACK is not set"),
        ({"STACK": STACK, "AWS_ENDPOINT_URL": "https://example.com"}, "unset it"),
    ],
)
def test_an_incomplete_order_is_refused(environ: Mapping[str, str], reason: str) -> None:
    """On an account a stack must be named, and an endpoint must be on loopback."""
    with pytest.raises(Refused, match=reason):
        Order.from_environ(environ)


@pytest.mark.parametrize("confirm", ["", "yes", "123456789013"])
def test_an_account_is_confirmed_by_its_id(confirm: str) -> None:
    """Without the right CONFIRM the run is refused, and the message names the account of the credentials."""
    order = Order.from_environ({"STACK": STACK, "CONFIRM": confirm})
    with pytest.raises(Refused, match=f"CONFIRM={ACCOUNT}"):
        order.confirmed()


def test_a_confirmed_order_is_accepted() -> None:
    """A confirmed order gives the account's id, which the report blanks."""
    order = Order.from_environ({"STACK": STACK, "CONFIRM": ACCOUNT})
    assert order.confirmed() == ACCOUNT
    order.insist_that_nothing_is_there()


@pytest.mark.parametrize("environ", [{"LOCAL": "1"}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}])
def test_a_local_aws_needs_neither_name_nor_confirmation(environ: Mapping[str, str]) -> None:
    """On a local AWS the stack has a default name, and no confirmation is needed."""
    order = Order.from_environ(environ)
    assert (order.stack, order.local) == (LOCAL_STACK, True)
    order.confirmed()


@pytest.mark.parametrize("name", ["", "-alerts", "-rest", "-http", "-question"])
def test_a_stack_that_exists_is_not_touched(name: str) -> None:
    """The run is refused if a stack exists that is named, or that the run would create beside it."""
    create_stack(f"{STACK}{name}")
    with pytest.raises(Refused, match=f"the stack {STACK}{name} exists"):
        Order.from_environ({"STACK": STACK}).insist_that_nothing_is_there()
    assert stacks() == FOREIGN | {f"{STACK}{name}"}


def test_a_retained_keyset_is_not_touched(parameters: dict[str, str]) -> None:
    """The run is refused if a stack with RetainKeyset=true left its parameters."""
    parameters[f"/keyturn/{STACK}/keyset/000000000001"] = "{}"
    with pytest.raises(Refused, match="an earlier stack left"):
        Order.from_environ({"STACK": STACK}).insist_that_nothing_is_there()
